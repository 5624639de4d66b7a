// Package health copies what Ceph says about itself into status.ceph: health
// with its details, capacity, versions, fsid. It writes on change only, never
// as a heartbeat, and leaves out what moves all the time. Full or nearly full
// OSDs and pools are named in the condition SpaceAvailable and in one event.
//
// It never changes anything in Ceph.
package health
