// Package identity makes and guards the identity of a Ceph cluster: its fsid,
// the key of the monitors and the key of client.admin. They are minted once,
// when nothing at all speaks of an earlier cluster, and never again: missing
// Kubernetes state is never taken for a new cluster. When the Secret that holds
// them is lost, the package names what is missing and how to bring it back, and
// nothing is changed.
//
// It never speaks to Ceph, never prints a key, and never overwrites a Secret
// whose content differs from what it knows.
package identity
