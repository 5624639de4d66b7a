// Package snapshot takes and deletes the snapshots that VolumeSnapshotContents
// stand for, as the csi-snapshotter sidecar would. Pairing VolumeSnapshots with
// contents is the work of the snapshot-controller, which a Kubernetes
// distribution brings along with the definitions of these kinds; until they are there, this
// package waits for them.
//
// It reads contents and their class, and writes the status and the finalizer of contents.
package snapshot
