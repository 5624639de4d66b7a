//go:build faults

package testenv

// Stride is 1, so that every write fails once.
func Stride(int) int { return 1 }
