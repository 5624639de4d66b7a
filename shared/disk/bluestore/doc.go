// Package bluestore reads the label that Ceph's BlueStore keeps on every
// device it owns: who the device belongs to (OSD uuid, OSD id, cluster fsid),
// which role it plays and how large it is.
//
// A label is 4 KiB long, starts with a line of text and ends with a CRC-32C.
// Releases up to 18 write one label at offset 0; later ones repeat it at fixed
// offsets further into the device, so a device whose first megabytes were
// zeroed may still carry its identity.
//
// The package never writes, never opens a device by itself, and never exposes
// the cephx key that old releases kept inside the label.
package bluestore
