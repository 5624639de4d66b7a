// Package disk gives the nodes of a local cluster their disks: sparse files
// behind loop devices of fixed numbers.
//
// It touches only loop devices whose number lies in the cluster's range, or
// whose backing file lies in the cluster's directory.
package disk
