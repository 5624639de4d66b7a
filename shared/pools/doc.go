// Package pools decides what makes a Ceph pool what a spec says: replicated or
// erasure coded, with its CRUSH rule, parameters, quotas and application. What
// differs and can be set is planned; what would move data or cannot be changed is
// reported as drift. A pool that could not serve is not made: its placement groups would
// stay inactive and hold up all else.
//
// Decide is pure. Read, ReadPlaces, Observe, Run and Ensure, which puts them together, are
// the only ones that talk to Ceph for a pool that stays, by commands to the mons. The
// package never deletes a pool, and never meets Kubernetes.
package pools
