// Package machine runs a machine of a local cluster: an init process in its
// own process, mount, network, host name and IPC namespaces, on its own root
// directory, with its own /dev that shows only its own disks.
//
// The init process is process 1 of the machine. It builds the file system,
// sets up the network and keeps the machine's services running. When it dies,
// by whatever cause, the kernel ends every process of the machine, and with
// the last of them its mounts, links and firewall rules are gone. So a machine
// is either whole or gone, and killing it is one signal.
//
// A machine sees the host's programs (/usr and its relatives, read-only) and
// nothing else of the host's files; it never writes outside its own directory.
package machine
