// Package report says on each CephCluster whether its file systems are served,
// and what all metadata servers run. It holds the service's finalizer on the
// CephCluster until no object of the service is left.
//
// It reads CephCluster, CephFilesystem, CephFilesystemSubVolumeGroup and the
// Deployments of metadata servers, and asks Ceph only for the version of a new
// image. It never changes a file system.
package report
