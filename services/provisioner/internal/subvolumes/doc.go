// Package subvolumes is the CSI controller service for CephFS: it creates,
// deletes, copies and resizes subvolumes and their snapshots, and records them in the
// journal in the file system's metadata pool.
//
// It is used in process by the PersistentVolume provisioner and the resizer,
// and served on a socket for conformance tests. Every call can be repeated after a crash
// at any point: the journal leads to the subvolume, the subvolume's name follows
// from the request, and deletion touches only what the journal names.
//
// Any number of nodes may use a volume at once, so there is nothing to attach. The package
// never mounts, never makes file systems or subvolume groups, and reads nothing
// from Kubernetes but what Clusters gives it.
package subvolumes
