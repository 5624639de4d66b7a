// Package cephtest is a Ceph cluster for tests: a stateful fake of mons, mgrs,
// OSDs, CRUSH, pools, cephx and configuration behind ceph.Dialer and
// ceph.Conn.
//
// A test makes a Cluster, starts daemons (StartMon, StartMgr, StartOSD) as the
// pods of a real cluster would, gives the Cluster to the code under test as
// its ceph.Dialer, and looks at the outcome. Faults are explicit: LoseMon,
// LoseQuorum, FailNext, LoseReply. Commands and Writes tell what was asked. A
// command that the fake does not know, or with arguments that a real mon would
// refuse by type, fails the test by name.
//
// The fake knows no time: daemons act when the test says so, placement groups
// move at once, and a cluster without quorum answers ErrUnreachable without
// waiting. Cephx capabilities are stored but not enforced. The differential
// test of package librados runs the same calls against the fake and real
// daemons, so that the fake cannot lie about what it covers.
//
// Package cephtest/real starts the real daemons. Neither package is imported
// outside of tests.
package cephtest
