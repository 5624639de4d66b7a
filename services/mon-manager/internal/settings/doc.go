// Package settings keeps Ceph's configuration database as the spec wants it:
// the options that every cluster of ours starts with, those that the network
// section implies, those of spec.cephConfig, and the muted health checks.
//
// It remembers in Ceph itself which options it set and what Ceph made of their
// values, so that one that leaves the spec leaves the database and a settled
// configuration is not set again. An option that the spec or our defaults name
// is brought back when somebody else changes it; all others are never touched.
// It writes the condition ConfigApplied.
package settings
