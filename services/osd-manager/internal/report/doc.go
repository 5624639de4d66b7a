// Package report tells how the OSDs of a CephCluster fare: the status of each
// CephOSD, and of the CephCluster the conditions OSDsServing and DisksSelected,
// the pieces osds and storage, and the version that all OSDs run.
//
// It asks Ceph one cheap question every few seconds and reads maps only when
// their epoch changed. It writes only what changed, and how full OSDs are in
// whole percent and every few minutes at most: a settled cluster sees no write.
//
// A question that Ceph does not answer leaves what was known as it is for a
// minute: other services wait for OSDsServing.
//
// Its one act on Ceph is require-osd-release, once all OSDs run a release. It
// never starts, stops or judges an OSD.
package report
