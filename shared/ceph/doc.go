// Package ceph speaks to a Ceph cluster in Ceph's own words.
//
// A Conn carries one JSON command to the mons or to the active mgr and brings
// back its reply; a Client wraps a Conn with one short typed call per Ceph
// command (QuorumStatus, OSDNew, PoolCreate, ...) and decodes only the fields
// that its callers use. Every call ends: a context without a deadline gets
// DefaultTimeout. Failures carry Ceph's own words and match one of the
// sentinels of this package under errors.Is.
//
// The package never starts a process, never talks to Kubernetes, never retries,
// never caches and never logs. It holds no transport: package librados has the
// real one and package cephtest a stateful fake.
package ceph
