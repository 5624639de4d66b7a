// Package health copies what Ceph says about itself into status.ceph: health
// with its details, capacity, versions, fsid. It writes on change only, never
// as a heartbeat, and leaves out what moves all the time.
//
// It never judges, never changes anything in Ceph, and writes no condition.
package health
