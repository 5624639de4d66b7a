//go:build !faults

package testenv

// Stride is the distance between two writes that a test lets fail: sample, since the
// lives that a test repeats for each of them take long under the race detector.
// Built with tag faults it is 1, for all of them.
func Stride(sample int) int { return sample }
