// Package fsmount mounts directories of CephFS on this node: by the kernel's
// client where there is one, else by ceph-fuse.
//
// What is mounted is recorded in a file per volume, so that a restarted
// node-agent goes on where its predecessor stopped; the ceph-fuse process lives on meanwhile.
// Keys reach the kernel through the mount call and ceph-fuse through a file that only
// root can read and that is removed once it was read, never through arguments.
//
// It never makes directories in CephFS and never decides who may mount.
package fsmount
