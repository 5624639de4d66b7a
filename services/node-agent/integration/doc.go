// Package integration tests the CSI services as processes against real Ceph
// daemons and a real API server, without a kubelet: the tests speak CSI to the sockets as a
// kubelet and an attacher would. Its tests carry the build tag integration.
package integration
