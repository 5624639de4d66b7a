// Package teardown lets the OSDs of a deleted CephCluster go. It holds the
// service's finalizer on the CephCluster: the Deployments, Jobs, Secrets and
// CephOSDs go, their pods are waited for, then the finalizer goes too.
//
// No data is touched: the disks keep their OSDs, and a new CephCluster with the
// same identity finds them again. With a confirmed cleanupPolicy it stops and
// says that disks are not wiped yet.
//
// It never deletes anything of a CephCluster that is not being deleted.
package teardown
