// Package filesystem keeps the file systems that CephFilesystem objects ask for:
// their pools, the file system itself, its metadata servers with keys, options,
// Deployments and budget, the number of ranks, and the default group of
// subvolumes.
//
// It reads CephCluster, CephFilesystem, its own Deployments and Secrets, and of
// Ceph the map of file systems, the pools and the stored options. A settled pass
// asks Ceph once, for the epochs of its maps, and writes nothing.
//
// States: waiting for the cluster; making pools; making the file system; waiting
// for ranks; changing metadata servers, those that serve nobody first, one at a
// time under the cluster's disruption token and Ceph's ok-to-stop; moving the
// number of ranks by one; serving.
//
// It never forces Ceph to make a file system over pools that hold data, never
// removes a data pool because the spec no longer names it, and removes a file
// system only when its object is deleted, without preserveFilesystemOnDelete, and
// no subvolume is left in it. It takes the metadata servers from no file system that
// outlives its object while clients have it mounted.
package filesystem
