// Package rgwtest is a gateway without a Ceph behind it, for tests: it answers the
// Admin Ops requests and the part of S3 that we send over HTTP, remembers what it
// was told, checks signatures, capabilities and limits as a radosgw does, and fails
// on demand. What it does not know fails the test by name.
//
// A differential test runs one script against it and against a radosgw of every
// release, so that it cannot lie. It evaluates no bucket policies and expires
// nothing.
package rgwtest
