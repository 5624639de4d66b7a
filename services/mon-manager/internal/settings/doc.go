// Package settings keeps Ceph's configuration database as the spec wants it:
// the options that every cluster of ours starts with, those that the network
// section implies, those of spec.cephConfig, and the muted health checks.
//
// It remembers in Ceph itself which options it set for the spec, so that one
// that leaves the spec leaves the database, and options that somebody else set
// are never touched. It writes the condition ConfigApplied.
package settings
