// Package outlive starts processes that live on when the container that started
// them is stopped: a user-space block device must not die with a restart of
// node-agent, since file systems are mounted on it.
//
// A container runtime ends a container by killing what is in its cgroup, and
// then its mount namespace loses its root. So a small child of our own binary
// first leaves the container's cgroups, takes a mount namespace of its own in
// which only the kubelet's directories still follow the host, and then becomes the
// program. The pod must share the host's PID and network namespaces.
//
// It never stops a process; whoever knows the program's protocol does.
package outlive
