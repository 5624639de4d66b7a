// Package volumes is the CSI controller service for RBD: it creates and deletes
// images, records them in the journal, and says which node may have one.
//
// It is used in process by the PersistentVolume provisioner and the attacher,
// and served on a socket for conformance tests. Every call can be repeated
// after a crash at any point: the journal leads to the image, the image's name
// follows from the request, and deletion touches only the image that the journal names.
//
// It never formats, maps or mounts, and it reads nothing from Kubernetes but what Clusters and
// Nodes give it.
package volumes
