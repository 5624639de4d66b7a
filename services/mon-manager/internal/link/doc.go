// Package link keeps one connection to Ceph per CephCluster for all
// controllers of this service, and watches the cluster through it: one
// "status" every few seconds, and an event to every subscriber when what it
// says has changed. A controller never dials and never waits for a dial.
//
// The package decides nothing, writes nothing to Ceph or Kubernetes, and never
// tells a secret to anybody. A cluster that does not answer costs its callers
// nothing: Session fails at once with what the last attempt saw.
package link
