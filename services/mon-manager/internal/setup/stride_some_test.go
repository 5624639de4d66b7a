//go:build integration && !faults

package setup

// The first write that is made to fail, and the distance to the next: every
// eleventh. Tag faults takes all.
const first, stride = 1, 11
