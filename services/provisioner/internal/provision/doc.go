// Package provision makes PersistentVolumes for claims and deletes what backs
// released ones, as the external-provisioner sidecar would: it reads the StorageClass and its
// Secrets, asks the CSI controller service in process, and writes the PersistentVolume as
// that sidecar writes it. It knows nothing about Ceph.
package provision
