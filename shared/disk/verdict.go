package disk

import (
	"fmt"
	"slices"
	"strings"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// State is what a disk is good for.
type State string

// The states that a verdict can have.
const (
	// Available means blank, large enough, and used by nobody.
	Available State = "Available"
	// OSD means that an intact BlueStore label names its owner.
	OSD State = "OSD"
	// InUse means that the running system uses it: mounted, swap, or stacked upon.
	InUse State = "InUse"
	// Rejected means that something forbids its use; the reason says what.
	Rejected State = "Rejected"
	// Ignored means that it is no disk in the sense of the inventory at all.
	Ignored State = "Ignored"
)

// The reasons that a verdict can have.
const (
	ReasonBlank          = "Blank"
	ReasonOSD            = "BlueStoreOSD"
	ReasonUnfinishedOSD  = "UnfinishedOSD"
	ReasonRemnant        = "BlueStoreRemnant"
	ReasonDamagedLabel   = "DamagedLabel"
	ReasonMounted        = "Mounted"
	ReasonSwap           = "Swap"
	ReasonHolder         = "Holder"
	ReasonPartitioned    = "Partitioned"
	ReasonFilesystem     = "Filesystem"
	ReasonVolumeMember   = "VolumeMember"
	ReasonRAIDMember     = "RAIDMember"
	ReasonEncrypted      = "Encrypted"
	ReasonUnknownData    = "UnknownData"
	ReasonReadOnly       = "ReadOnly"
	ReasonRemovable      = "Removable"
	ReasonTooSmall       = "TooSmall"
	ReasonNoMedium       = "NoMedium"
	ReasonUnreadable     = "Unreadable"
	ReasonDuplicate      = "DuplicateIdentity"
	ReasonBackingDeleted = "BackingFileDeleted"
	ReasonNoDeviceNode   = "NoDeviceNode"
	ReasonLoopNotAllowed = "LoopNotAllowed"
	ReasonNoBackingFile  = "NoBackingFile"
	ReasonCSIVolume      = "CSIVolume"
	ReasonNotADisk       = "NotADisk"
)

// DefaultMinSize is the smallest disk that may become an OSD by default.
const DefaultMinSize = 5 << 30

// Policy is what the administrator allows.
type Policy struct {
	// AllowLoop makes loop devices candidates.
	AllowLoop bool
	// MinSizeBytes is the smallest size of a candidate.
	MinSizeBytes int64
	// VolumeDirs are directories whose files back volumes of running pods; a
	// loop device over one of them is never a candidate.
	VolumeDirs []string
}

// Verdict is the decision about one device and the reason for it.
type Verdict struct {
	State State
	// Reason is one CamelCase word.
	Reason string
	// Message names what uses the device and, where there is one, the fix.
	Message string
}

// Screen decides what can be decided without touching the device. ok is true
// when the verdict is final; only a device with ok false may be opened.
func Screen(f Facts, policy Policy) (verdict Verdict, ok bool) {
	switch f.Kind {
	case Disk, Multipath:
	case Loop:
		if verdict, ok := screenLoop(f, policy); ok {
			return verdict, true
		}
	default:
		return Verdict{Ignored, ReasonNotADisk, fmt.Sprintf("%s device", f.Kind)}, true
	}
	if f.SizeBytes == 0 {
		return Verdict{Rejected, ReasonNoMedium, "size is 0: no medium, or the device does not answer"}, true
	}
	return Verdict{}, false
}

func screenLoop(f Facts, policy Policy) (Verdict, bool) {
	file, deleted := strings.CutSuffix(f.BackingFile, deletedSuffix)
	switch {
	case f.BackingFile == "":
		return Verdict{Ignored, ReasonNoBackingFile, "loop device without a file"}, true
	case !policy.AllowLoop:
		return Verdict{Ignored, ReasonLoopNotAllowed, "loop devices are not allowed; set allowLoopDevices to use them"}, true
	case f.BackingFUSE || below(file, policy.VolumeDirs):
		return Verdict{Ignored, ReasonCSIVolume, "backs a volume: " + file}, true
	case deleted:
		return Verdict{Rejected, ReasonBackingDeleted, fmt.Sprintf("the backing file %s was deleted", file)}, true
	default:
		return Verdict{}, false
	}
}

func below(file string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		return file == dir || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
	})
}

// Judge decides about a device that Screen let pass, from the facts and from
// what was found on it. It is a pure function; the first thing that forbids the
// use of the device gives the reason.
func Judge(f Facts, found probe.Report, policy Policy) Verdict {
	if best, ok := bluestore.Identity(found.Labels); ok {
		return judgeOSD(best)
	}
	for _, judge := range []func() (Verdict, bool){
		func() (Verdict, bool) { return judgeRunning(f) },
		func() (Verdict, bool) { return judgeLabels(found) },
		func() (Verdict, bool) { return judgePartitions(f, found) },
		func() (Verdict, bool) { return judgeContent(found) },
		func() (Verdict, bool) { return judgeDevice(f, policy) },
	} {
		if verdict, ok := judge(); ok {
			return verdict
		}
	}
	return Verdict{Available, ReasonBlank, "blank"}
}

func judgeOSD(best bluestore.Found) Verdict {
	what := describe(best.Label)
	switch {
	case best.Offset > 0:
		return Verdict{Rejected, ReasonRemnant, fmt.Sprintf("BlueStore label of %s at offset %d, but none at offset 0: the disk was only partly wiped; zero the label too", what, best.Offset)}
	case !best.Label.Ready() && best.Label.Description == "main":
		return Verdict{OSD, ReasonUnfinishedOSD, "label of " + what + ", whose preparation did not end"}
	default:
		return Verdict{OSD, ReasonOSD, "holds " + what}
	}
}

func describe(label bluestore.Label) string {
	who := "the OSD with uuid " + label.OSDUUID
	if id, ok := label.OSDID(); ok {
		who = fmt.Sprintf("osd.%d (uuid %s)", id, label.OSDUUID)
	}
	if label.Description != "" && label.Description != "main" {
		who = fmt.Sprintf("the %s of %s", label.Description, who)
	}
	if fsid := label.FSID(); fsid != "" {
		who += " of cluster " + fsid
	}
	return who
}

// judgeRunning rejects a device that the running system uses, whole or in part.
func judgeRunning(f Facts) (Verdict, bool) {
	if verdict, ok := judgeUse(f.Mounts, f.Swap, f.Holders, ""); ok {
		return verdict, true
	}
	for _, partition := range f.Partitions {
		if verdict, ok := judgeUse(partition.Mounts, partition.Swap, partition.Holders, "partition "+partition.KernelName+" is "); ok {
			return verdict, true
		}
	}
	return Verdict{}, false
}

func judgeUse(mounts []string, swap bool, holders []Holder, prefix string) (Verdict, bool) {
	switch {
	case len(mounts) > 0:
		return Verdict{InUse, ReasonMounted, prefix + "mounted at " + Shortest(mounts)}, true
	case swap:
		return Verdict{InUse, ReasonSwap, prefix + "active swap space"}, true
	case len(holders) > 0:
		return Verdict{InUse, ReasonHolder, fmt.Sprintf("%sholder %s", prefix, holders[0])}, true
	default:
		return Verdict{}, false
	}
}

// Shortest picks the mount that people know the device by. Bind mounts of
// running pods come and go, and are longer.
func Shortest(mounts []string) string {
	return slices.MinFunc(mounts, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}

func judgePartitions(f Facts, found probe.Report) (Verdict, bool) {
	for _, signature := range found.Signatures {
		if signature.Kind == probe.PartitionTable && signature.Partitions > 0 {
			return Verdict{Rejected, ReasonPartitioned, "has " + signature.String()}, true
		}
	}
	if n := len(f.Partitions); n > 0 {
		return Verdict{Rejected, ReasonPartitioned, fmt.Sprintf("the kernel shows %d partition(s)", n)}, true
	}
	return Verdict{}, false
}

// judgeLabels rejects a device whose labels give no identity: damaged ones, or
// a copy that should not be there.
func judgeLabels(found probe.Report) (Verdict, bool) {
	if len(found.Labels) == 0 {
		return Verdict{}, false
	}
	label := found.Labels[0]
	if label.Err != nil {
		return Verdict{Rejected, ReasonDamagedLabel, fmt.Sprintf("label at offset %d: %v", label.Offset, label.Err)}, true
	}
	return Verdict{Rejected, ReasonRemnant, fmt.Sprintf("BlueStore label of %s at offset %d, but none at offset 0", describe(label.Label), label.Offset)}, true
}

func judgeContent(found probe.Report) (Verdict, bool) {
	if len(found.Signatures) > 0 {
		// Content tells more than the boot sector in front of it.
		signature := found.Signatures[0]
		for _, other := range found.Signatures {
			if other.Kind != probe.PartitionTable {
				signature = other
				break
			}
		}
		return Verdict{Rejected, reasonFor(signature.Kind), "has " + signature.String()}, true
	}
	if found.UnknownAt >= 0 {
		return Verdict{Rejected, ReasonUnknownData, fmt.Sprintf("unknown data at offset %d (encrypted without a header, or a partly wiped disk); if it may be lost, zero the first %d KiB", found.UnknownAt, probe.BlankBytes>>10)}, true
	}
	return Verdict{}, false
}

func reasonFor(kind probe.Kind) string {
	switch kind {
	case probe.PartitionTable:
		return ReasonPartitioned
	case probe.Volume:
		return ReasonVolumeMember
	case probe.RAID:
		return ReasonRAIDMember
	case probe.Encrypted:
		return ReasonEncrypted
	case probe.Swap:
		return ReasonSwap
	case probe.BlueStore:
		return ReasonRemnant
	default:
		return ReasonFilesystem
	}
}

func judgeDevice(f Facts, policy Policy) (Verdict, bool) {
	switch {
	case f.ReadOnly:
		return Verdict{Rejected, ReasonReadOnly, "read-only"}, true
	case f.Removable:
		return Verdict{Rejected, ReasonRemovable, "removable medium"}, true
	case f.SizeBytes < policy.MinSizeBytes:
		return Verdict{Rejected, ReasonTooSmall, fmt.Sprintf("%s is smaller than %s", inventory.FormatSize(f.SizeBytes), inventory.FormatSize(policy.MinSizeBytes))}, true
	default:
		return Verdict{}, false
	}
}

// Unreadable is the verdict about a device that could not be read: what uses it,
// where that is known without reading, else the cause.
func Unreadable(f Facts, cause error) Verdict {
	if verdict, ok := judgeRunning(f); ok {
		return verdict
	}
	return Verdict{Rejected, ReasonUnreadable, cause.Error()}
}

// Duplicate is the verdict about devices that claim to be the same disk.
func Duplicate(names []string) Verdict {
	return Verdict{Rejected, ReasonDuplicate, fmt.Sprintf("%s report the same identity: one disk over several paths needs multipath", strings.Join(names, ", "))}
}
