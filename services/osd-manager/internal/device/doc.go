// Package device is what osd-prepare does on a node, inside a container of the
// Ceph image: turn one blank disk into an OSD, and find the disk of an OSD
// again, whatever name the kernel gives it today.
//
// It never writes to a disk on which anything was found; the check is repeated
// under an exclusive open (O_EXCL) right before the first write. The first
// write is a BlueStore label that names the OSD to be, so that from then on
// every prober sees whose disk it is: ceph-osd opens the disk exclusively
// itself, and the label covers the moment between the two opens.
//
// It never talks to Kubernetes and never decides which disk to use.
package device
