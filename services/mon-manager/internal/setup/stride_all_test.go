//go:build faults

package setup

// The first write that is made to fail, and the distance to the next: all.
const first, stride = 1, 1
