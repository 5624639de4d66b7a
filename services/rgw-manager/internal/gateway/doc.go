// Package gateway describes the gateways of an object store: the Deployment with
// its arguments and probes, the Service, key, options, MIME types and budget, and
// the Service of gateways that run elsewhere. It is pure: it never meets
// Kubernetes or Ceph.
package gateway
