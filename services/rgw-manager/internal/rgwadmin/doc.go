// Package rgwadmin makes realms, zone groups, zones and their administrators in
// Ceph what they are wanted to be, and removes them. It is the only place that
// knows radosgw-admin, and runs in a Job of the Ceph image, never in the service.
//
// Apply may be repeated and may have been cut off at any point: it looks first,
// changes only what differs, and commits a period only when that says something
// else than the present one. An object that has the right name and the wrong id
// belongs to somebody else and is refused.
//
// Keys come from a Keys function and go to radosgw-admin through its environment
// or its standard input, never through arguments, which every process of a node
// can read. They are in no Wanted, no Result and no error.
//
// It never moves the pools of a zone that exists, never makes another zone the
// master, never changes a zone group that was taken over from another cluster
// but for the zone of ours in it, and never removes a master zone that others
// follow.
package rgwadmin
