// Package integration tests rgw-manager with real Ceph daemons. It holds tests
// only.
package integration
