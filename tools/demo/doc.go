// Command demo puts rook-ceph, a Ceph cluster, a pool, a file system, an
// object store and pods that use them on a cluster that is there already, and shows
// how far it is. It makes no cluster and builds no image.
package main
