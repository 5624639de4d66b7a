//go:build !integration && !faults

package setup

// The first write that is made to fail, and the distance to the next: a sample,
// for a life of a cluster takes seconds.
const first, stride = 6, 1000
