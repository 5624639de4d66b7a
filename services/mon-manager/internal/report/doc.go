// Package report sums up a CephCluster: the conditions Ready, Reconciling,
// Stalled, UnsupportedFields and DeletionIsBlocked, and what is derived from
// them for people and older tools: phase, state, message and the conditions
// they know. It also lets a deleted CephCluster go, last of all services.
//
// It reads CephClusters and the objects that depend on them. It never speaks to
// Ceph and never makes a daemon.
package report
