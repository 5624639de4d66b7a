// Package zonegroup keeps the zone groups that CephObjectZoneGroup objects ask for, in
// the realm of a CephObjectRealm.
//
// It reads CephCluster, CephObjectZoneGroup, CephObjectRealm, CephObjectZone,
// CephObjectStore and its own Jobs. A settled pass asks Ceph nothing and writes
// nothing.
//
// It never removes a zone group that has a zone.
package zonegroup
