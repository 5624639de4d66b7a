// Package journal keeps the record of volumes in RADOS omaps: which request
// made which image or subvolume. The objects and keys are those of ceph-csi:
//
//	csi.volumes.default   csi.volume.<request name> -> <uuid>, or <pool id>/<uuid>
//	csi.volume.<uuid>     csi.volname, csi.imagename, csi.imageid, csi.volume.owner, …
//
// Snapshots have a journal of the same form: csi.snaps.default, csi.snap.<uuid>,
// csi.snapname, csi.source.
//
// rt-backingsnapshot-<handle> names the volumes that show a snapshot without a copy.
//
// Own keys in csi.volume.<uuid> start with "rook." and are ignored by others.
//
// The uuid of a new volume is computed from the request and not drawn, so that two writers
// that serve the same request, or one that crashed and its successor, reserve
// the same image. The journal never touches an image.
package journal
