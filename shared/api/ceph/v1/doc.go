// Package v1 holds the kinds of the API group ceph.rook.io, version v1.
//
// It is the vocabulary in which people and controllers talk about a Ceph
// cluster: a manifest written for Rook decodes into these types unchanged. Next
// to the types it keeps what every reader of an object has to agree on: the
// condition types with their writers, the defaults that apply in memory, and
// which fields nobody acts on yet.
//
// Status is written by several controllers through server-side apply, one writer
// per piece. Therefore every piece is optional: a ClusterStatus in which only one
// piece is filled in marshals to exactly that piece.
//
// The package never talks to an API server or to Ceph, never writes a default
// into an object, and imports nothing but Kubernetes' own API types.
//
// +kubebuilder:object:generate=true
// +groupName=ceph.rook.io
package v1
