package probe

import "fmt"

// Kind groups signatures by what they mean for the owner of the device.
type Kind string

// The kinds of signature.
const (
	// Filesystem is a mountable file system or an image of one.
	Filesystem Kind = "filesystem"
	// PartitionTable is a table that divides the device, also a phantom one.
	PartitionTable Kind = "partition table"
	// Volume is a member of a volume manager: LVM, ZFS, bcache, Stratis, ASM.
	Volume Kind = "volume member"
	// RAID is a member of a software or firmware RAID.
	RAID Kind = "RAID member"
	// Encrypted is an encryption header.
	Encrypted Kind = "encrypted volume"
	// Swap is swap space or a hibernation image.
	Swap Kind = "swap"
	// BlueStore is a label of a Ceph OSD.
	BlueStore Kind = "BlueStore label"
)

// Signature is one thing found on a device.
type Signature struct {
	// Type is the short name of the format, as blkid spells it where it knows it.
	Type string
	// Kind says what the format is for.
	Kind Kind
	// Offset is where the deciding bytes begin.
	Offset int64
	// Label and UUID are what the format calls itself, where that is cheap to
	// read; both may be empty.
	Label, UUID string
	// Partitions is the number of entries of a partition table.
	Partitions int
}

// String describes the signature for people: "ext4 filesystem (label ROOT) at
// offset 1080".
func (s Signature) String() string {
	switch {
	case s.Kind == PartitionTable && s.Partitions > 0:
		return fmt.Sprintf("%s partition table with %d %s at offset %d", s.Type, s.Partitions, plural(s.Partitions, "partition"), s.Offset)
	case s.Kind == BlueStore, s.Kind == Swap && s.Type == "swap":
		return fmt.Sprintf("%s at offset %d", s.Kind, s.Offset)
	case s.Label != "":
		return fmt.Sprintf("%s %s (label %s) at offset %d", s.Type, s.Kind, s.Label, s.Offset)
	default:
		return fmt.Sprintf("%s %s at offset %d", s.Type, s.Kind, s.Offset)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
