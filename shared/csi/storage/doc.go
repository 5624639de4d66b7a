// Package storage names what the block storage services need from RADOS and
// RBD beyond the commands of ceph.Conn: omaps for the journal and the life
// of images. Package librados implements it with go-ceph, package storagetest
// with a stateful fake. It holds no logic and never retries.
package storage
