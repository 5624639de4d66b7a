// Package integration holds the tests of rgw-manager against real Ceph daemons: its
// own cephx identity suffices for all that it does and for nothing else, and an
// object store lives from its pools to its end.
package integration
