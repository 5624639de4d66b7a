// Package integration holds the tests of mds-manager against real Ceph daemons:
// its own cephx identity suffices for all that it does and for nothing else, and
// a file system lives from its pools to its end.
package integration
