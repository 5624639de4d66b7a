// Package share is the CSI node service for CephFS: it mounts the directory of
// a volume on this node once (stage) and shows it to pods (bind mounts).
//
// Any number of nodes may do so at the same time. A volume that carries its
// directory as an attribute, as all volumes do that were made by a recent driver, is
// mounted without asking Ceph for it. A volume that shows a snapshot shows nothing else:
// where its snapshot cannot be found, it is not mounted. The package never creates or
// deletes volumes.
package share
