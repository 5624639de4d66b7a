// Package inventory keeps one CephDisk per disk of its own node: what the disk
// is, what was found on it, and whether it may become an OSD.
//
// It reads sysfs, procfs and, read-only, the disks; hints about changes come
// from the package hotplug and from the CephDisks themselves, whose selection
// changes when osd-manager has written to a disk. It writes the CephDisks of
// its node and their status, except the selection, and writes nothing when
// nothing changed.
//
// It never writes to a disk, never touches a CephDisk of another node, never
// decides which CephCluster gets a disk, and never deletes the object of a disk
// that is or was an OSD.
package inventory
