// Package attach makes a block device of an RBD image on this node and takes it
// away again: by the kernel client where there is one, else by a user-space export
// (qemu-storage-daemon, FUSE and a loop device).
//
// What is attached is recorded in a file per volume, so that a restarted
// node-agent goes on where its predecessor stopped; the user-space backend's
// process lives on meanwhile. Keys reach a backend through a file that only root can read and that
// is removed once it was read, never through arguments.
//
// It never looks at the contents of a device, never mounts one, and never
// decides who may attach.
package attach
