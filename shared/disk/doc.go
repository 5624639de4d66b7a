// Package disk gathers what the kernel says about the block devices of a node
// and decides, together with what was found on them, whether one may become an
// OSD.
//
// Facts come from sysfs and procfs alone, below root paths that the caller
// names; Judge is a pure function over them. The package never opens a device,
// never runs a program, and never asks udevd. Reading devices is the work of
// the packages probe (signatures), bluestore (labels) and scan (both together
// with the facts).
package disk
