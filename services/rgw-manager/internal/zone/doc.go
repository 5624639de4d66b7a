// Package zone keeps the zones that CephObjectZone objects ask for: their pools, the
// zone in its zone group, and the user that the zones of a realm talk to each other as.
//
// It reads CephCluster, CephObjectZone, CephObjectZoneGroup, CephObjectRealm,
// CephObjectStore, the Secret with the keys of the realm and its own Jobs; of Ceph the
// pools. A settled pass asks Ceph once, for the epoch of its map, and writes nothing.
//
// It never touches a pool of another application, never removes a zone that a
// CephObjectStore serves, or that is the master of others, and removes pools only when
// the spec says in so many words that they shall go.
package zone
