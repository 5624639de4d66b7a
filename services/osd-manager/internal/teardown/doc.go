// Package teardown lets the OSDs of a deleted CephCluster go. It holds the
// service's finalizer on the CephCluster: once the services whose objects need
// OSDs have let go, the Deployments and Jobs go, their pods are waited for, then
// the CephOSDs go, then the finalizer.
//
// Without a confirmed cleanupPolicy no data is touched: the disks keep their
// OSDs, and a CephCluster with the same identity finds them again. With it, a
// Job per disk destroys the data of disks whose label names this cluster, and
// of no other; the deletion goes on when discover sees none of them any more.
// What it waits for is in the condition OSDsRemoved.
//
// It never deletes anything of a CephCluster that is not being deleted.
package teardown
