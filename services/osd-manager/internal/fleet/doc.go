// Package fleet answers questions about the CephOSDs of one CephCluster that
// more than one controller asks: which disk is whose, what is prepared, what an
// OSD's objects are called, which cluster it belongs to. It is pure.
package fleet
