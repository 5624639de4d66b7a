// Package probe looks for everything that could mean "this device is in use":
// file systems, partition tables, volume managers, RAID members, encryption,
// swap, and BlueStore labels, at every offset where each is known to live,
// including the copies at the end of a device.
//
// The rule is deliberately one-sided. Scan reports all that it finds, not the
// most likely single answer, and any find means that the device is not blank.
// What it cannot name it still reports: data within the first BlankBytes that
// matches no signature is Unknown, since plain dm-crypt and VeraCrypt have no
// signature at all.
//
// Reads are bounded (a few MiB whatever the size of the device) and go through
// an io.ReaderAt, so the package cannot write and never opens anything.
package probe
