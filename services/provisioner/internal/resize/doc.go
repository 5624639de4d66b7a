// Package resize makes volumes larger when their claims ask for more, as the
// external-resizer sidecar would.
//
// It reads claims and volumes from the provisioner's caches, asks the CSI controller
// service in process, and writes the capacity of the PersistentVolume and then the status of
// the claim: its capacity, or, of a volume that grows in full only on its node, that it is
// the kubelet's turn. A claim never shows more than its volume has. It never makes a volume
// smaller.
package resize
