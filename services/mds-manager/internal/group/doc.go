// Package group keeps the groups of subvolumes that CephFilesystemSubVolumeGroup
// objects ask for: the group itself with its quota, its data pool and its
// pinning.
//
// It reads CephCluster, CephFilesystem and CephFilesystemSubVolumeGroup, and of
// Ceph what it knows of one group: a settled pass asks once and writes nothing.
// How a group is pinned cannot be read back, so the status remembers it.
//
// A group is removed with its object only when no subvolume is in it, and the
// default group of a file system never. A quota below what is used is refused,
// and a data pool is never changed.
package group
