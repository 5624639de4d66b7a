// Package cluster brings a local cluster up, takes it down, and changes it
// while it runs.
//
// Every operation looks at what there is and does only what is missing, so it
// may be repeated after any failure. What belongs to a cluster follows from its
// name and slot, so taking one down needs no memory of how it was made.
//
// It knows nothing of Ceph or of what will run in the cluster.
package cluster
