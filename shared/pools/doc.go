// Package pools decides what makes a Ceph pool what a spec says: replicated or
// erasure coded, with its CRUSH rule, parameters, quotas and application. What
// differs and can be set is planned; what would move data or cannot be changed is
// reported as drift.
//
// Decide is pure. Observe and Run are the only ones that talk to Ceph, by commands
// to the mons. The package never deletes a pool, and never meets Kubernetes.
package pools
