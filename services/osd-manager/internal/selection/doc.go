// Package selection decides which disks of which nodes become OSDs of which
// CephCluster, and says so: its verdict about every disk is in the CephDisk's
// status.selection, and every disk that it selects gets a CephOSD, the record
// of the intent that all further work starts from.
//
// Decide is pure. It reads CephClusters, Nodes, CephDisks and CephOSDs. The
// first CephCluster (by age) that selects a disk gets it; a disk that has a
// CephOSD keeps it whatever the spec says later. An OSD of a known cluster that
// has lost its CephOSD gets it back from the label on its disk.
//
// It never removes a CephOSD, never touches Ceph or a disk, and never selects a
// disk that discover does not call available.
package selection
