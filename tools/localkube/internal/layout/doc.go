// Package layout decides where everything of a local cluster is: addresses,
// link names, loop device numbers, cgroups and directories. All of it follows
// from a cluster's name, slot and size, so that nothing has to be remembered
// to be found again after a crash.
//
// It is pure: it never looks at the machine.
package layout
