// Package store keeps the object stores that CephObjectStore objects ask for: their
// pools, realm, zone group and zone, the user that we manage them as, and their
// gateways with key, options, Deployment, Service and budget.
//
// It reads CephCluster, CephObjectStore, CephObjectStoreUser, the kinds of realms,
// its own objects and the Secrets that a spec names; of Ceph the pools and stored
// options. A settled pass asks Ceph once, for the epoch of its map, asks no gateway
// and writes nothing.
//
// States: waiting for the cluster, or for the zone of another object; making pools;
// a Job setting up realm, zone group and zone; starting gateways; waiting until they
// answer; serving.
//
// It never runs a program of Ceph's itself, never touches a pool of another
// application, and removes a store only when no user refers to it and a gateway has
// said that no bucket is left, or nothing is in the pools of buckets.
package store
