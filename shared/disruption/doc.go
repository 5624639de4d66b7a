// Package disruption is the one token per cluster that whoever stops a Ceph
// daemon on purpose holds while it does: a Lease named by
// names.DisruptionLease. With it no two of our services ever disturb two
// failure domains at once.
//
// The holder is a service, or the part of one that looks after one thing among
// several of its kind, but not a pod: after a change of leaders the successor
// goes on with what its predecessor began. A token that is not renewed expires,
// so a service that is gone for good blocks the others for a while only; what
// protects the data in between is Ceph's own answer to ok-to-stop, which every
// holder asks for before each step.
//
// The package never decides whether a disruption is safe.
package disruption
