// Package prepare turns the disk of one CephOSD into that OSD: a cephx key, a
// number from Ceph, a Job on the disk's node that makes the store.
//
// Each step is persisted before the next one begins, so that a crash at any
// point ends in the same OSD: the key is stored before Ceph is told of it, and
// "osd new" with the same uuid and key gives the same number. An OSD that the
// disk holds already is adopted: its key is read from Ceph, and no Job runs.
//
// It writes the number into the CephOSD's spec and its condition Prepared. A
// disk that fails keeps its Job, with the reason, until the disk changes or an
// hour has passed; then it is tried again.
//
// A Secret that was lost comes back with the key that Ceph has for the OSD; a
// new key is made only for an OSD that Ceph has not heard of.
//
// It never deletes an OSD, never changes a key, and never reuses a number.
package prepare
