// Package scan looks at the disks of a node: it reads the facts, opens what may
// be opened, probes it read-only and passes judgement. discover uses it to keep
// the inventory, osd-prepare to find a disk by what is on it and to check it
// once more, under O_EXCL, before the first write.
//
// It never opens a network, memory, optical or virtual device, never opens a
// loop device unless loop devices are allowed, and never waits for a device
// for ever: a probe that does not end counts as unreadable.
package scan
