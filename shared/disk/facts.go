package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Kind is what sort of block device the kernel shows.
type Kind string

// The kinds of device. Only Disk, Multipath and (when allowed) Loop can ever
// become an OSD.
const (
	// Disk is hardware, or what a hypervisor presents as hardware.
	Disk Kind = "disk"
	// Loop is a file presented as a block device.
	Loop Kind = "loop"
	// Multipath is one device-mapper device over several paths to one disk.
	Multipath Kind = "mpath"
	// Mapper is any other device-mapper device: LVM, dm-crypt, VDO.
	Mapper Kind = "dm"
	// Array is a Linux software RAID.
	Array Kind = "md"
	// Network is a device whose data lives elsewhere (rbd, nbd, drbd, zvol,
	// ublk); touching one can hang or dead-lock, so it is never opened.
	Network Kind = "network"
	// Memory is a RAM disk or zram.
	Memory Kind = "memory"
	// Optical is a CD, DVD or floppy drive.
	Optical Kind = "rom"
	// Firmware is a boot or replay-protected area of an eMMC device, or MTD.
	Firmware Kind = "firmware"
	// Hidden is a single path that the kernel combines itself (native NVMe multipath).
	Hidden Kind = "hidden"
	// Virtual is anything else without hardware behind it.
	Virtual Kind = "virtual"
)

// Facts are what sysfs and procfs say about one whole block device.
type Facts struct {
	// KernelName is the present name below /sys/block; it may change at any boot.
	KernelName string
	// Major and Minor are the device numbers.
	Major, Minor uint32
	// Kind decides whether the device may be opened at all.
	Kind Kind
	// SizeBytes is the capacity; 0 without a medium.
	SizeBytes int64
	// LogicalSector and PhysicalSector are sector sizes in bytes.
	LogicalSector, PhysicalSector int
	// Rotational, ReadOnly and Removable are the kernel's flags.
	Rotational, ReadOnly, Removable bool
	// Model, Vendor, Serial and WWN describe the hardware, trimmed; each may be empty.
	Model, Vendor, Serial, WWN string
	// Location is the position on the bus: the sysfs path of the parent device.
	Location string
	// BackingFile is the file behind a loop device, "" when it has none.
	BackingFile string
	// BackingFUSE reports that a user-space file system serves BackingFile.
	BackingFUSE bool
	// MapperUUID is the uuid of a device-mapper device.
	MapperUUID string
	// Holders are the devices that the kernel has built on this one.
	Holders []Holder
	// Partitions are the partitions that the kernel shows, by number.
	Partitions []Partition
	// Mounts are the places where the whole device is mounted.
	Mounts []string
	// Swap reports whether the whole device is active swap space.
	Swap bool
}

// Holder is a device stacked on another one.
type Holder struct {
	// KernelName is the name below /sys/block.
	KernelName string
	// Name is the device-mapper name, "" for other holders.
	Name string
	// UUID is the device-mapper uuid, whose prefix tells its maker (LVM-, CRYPT-, mpath-).
	UUID string
}

// String describes the holder for people: "dm-0 (LVM vg-root)".
func (h Holder) String() string {
	maker, _, ok := strings.Cut(h.UUID, "-")
	switch {
	case h.Name == "":
		return h.KernelName
	case ok:
		return fmt.Sprintf("%s (%s %s)", h.KernelName, maker, h.Name)
	default:
		return fmt.Sprintf("%s (%s)", h.KernelName, h.Name)
	}
}

// Partition is one partition as the kernel shows it.
type Partition struct {
	// KernelName is the present name, such as sda1.
	KernelName string
	// Number is the position in the table.
	Number int
	// StartBytes and SizeBytes place the partition on the disk.
	StartBytes, SizeBytes int64
	// Label and UUID come from the table entry; old kernels tell neither.
	Label, UUID string
	// Holders, Mounts and Swap are as in Facts.
	Holders []Holder
	Mounts  []string
	Swap    bool
}

// StableID returns an identity that survives reboots and renames, the first
// that the device has of: WWN, serial number with model, the uuid of a
// multipath map, the backing file of a loop device, the position on the bus.
func (f Facts) StableID() string {
	switch {
	case f.Kind == Loop:
		return "file:" + f.BackingFile
	case f.Kind == Multipath || f.Kind == Mapper:
		return "dm:" + f.MapperUUID
	case f.WWN != "":
		return "wwn:" + f.WWN
	case f.Serial != "":
		return "serial:" + strings.Trim(f.Vendor+"_"+f.Model+"_"+f.Serial, "_")
	case f.Location != "":
		return "path:" + f.Location
	default:
		return "name:" + f.KernelName
	}
}

// Anchored reports whether StableID belongs to the device itself and not to
// the place where it is plugged in.
func (f Facts) Anchored() bool {
	id := f.StableID()
	return !strings.HasPrefix(id, "path:") && !strings.HasPrefix(id, "name:")
}

// maxNodePrefix keeps an object name below the 253 characters of Kubernetes.
const maxNodePrefix = 200

// ObjectName returns the name of the object that stands for a disk: the node
// and a hash of the disk's stable id.
func ObjectName(node, stableID string) string {
	if len(node) > maxNodePrefix {
		node = strings.TrimRight(node[:maxNodePrefix], "-.")
	}
	sum := sha256.Sum256([]byte(stableID))
	return node + "-" + hex.EncodeToString(sum[:5])
}
