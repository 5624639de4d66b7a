// Package realm keeps the realms that CephObjectRealm objects ask for: made here, or
// pulled from another cluster, with the Secret of the keys that its zones talk to each
// other with.
//
// It reads CephCluster, CephObjectRealm, CephObjectZoneGroup, CephObjectStore, that
// Secret and its own Jobs; of Ceph, before the first setup, the pools. A settled pass
// asks Ceph nothing and writes nothing.
//
// It draws keys for a realm that is made here when there are none, and never changes
// those that exist. It never removes a realm that has a zone group.
package realm
