//go:build !integration

package setup

// stride is the distance between the writes that are made to fail: a sample.
const stride = 31
