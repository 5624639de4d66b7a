// Package filesystem puts a file system on a volume's device the first time,
// and never again: only if the device is blank and the journal says that the
// volume was never formatted, or that mkfs was begun and what is there was never finished. A device that cannot be read is not blank.
package filesystem
