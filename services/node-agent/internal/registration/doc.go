// Package registration tells the kubelet of this node about a CSI driver,
// through the kubelet's plugin watcher: it serves a small service on a socket in
// plugins_registry and does so again when the kubelet or somebody else removed the socket. It
// serves no volumes.
package registration
