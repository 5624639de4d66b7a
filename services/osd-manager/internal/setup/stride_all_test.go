//go:build integration

package setup_test

// The distance between two writes that are made to fail: all.
const stride = 1
