// Package resize makes volumes larger when their claims ask for more, as the
// external-resizer sidecar would. It serves drivers whose volumes grow
// without their nodes.
//
// It reads claims and volumes from the provisioner's caches, asks the CSI controller
// service in process, and writes the capacity of the PersistentVolume and then that of the
// claim: a claim never shows more than its volume has. It never makes a volume smaller.
package resize
