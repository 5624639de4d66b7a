//go:build !integration

package setup_test

// The distance between two writes that are made to fail: a sample, for a life of a
// cluster takes long under the race detector.
const stride = 6
