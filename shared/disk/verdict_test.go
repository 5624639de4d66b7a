package disk_test

import (
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

var blank = probe.Report{UnknownAt: -1}

func found(signatures ...probe.Signature) probe.Report {
	return probe.Report{Signatures: signatures, UnknownAt: -1}
}

func labelled(offset int64, label bluestore.Label) probe.Report {
	return probe.Report{Labels: []bluestore.Found{{Offset: offset, Label: label}}, UnknownAt: -1}
}

func osd(extra ...string) bluestore.Label {
	meta := map[string]string{"whoami": "3", "ceph_fsid": "F", "ready": "ready"}
	for i := 0; i+1 < len(extra); i += 2 {
		meta[extra[i]] = extra[i+1]
	}
	return bluestore.Label{OSDUUID: "U", Description: "main", Meta: meta}
}

func TestJudge(t *testing.T) {
	phantom := probe.Signature{Type: "atari", Kind: probe.PartitionTable, Offset: 454, Partitions: 2}
	ext4 := probe.Signature{Type: "ext4", Kind: probe.Filesystem, Offset: 1080, Label: "ROOT"}
	damaged := probe.Report{Labels: []bluestore.Found{{Err: bluestore.ErrCorrupt}}, UnknownAt: -1}
	with := func(change func(*disk.Facts)) disk.Facts {
		f := disk.Facts{KernelName: "sdb", Kind: disk.Disk, SizeBytes: 10 * gib}
		change(&f)
		return f
	}
	plain := with(func(*disk.Facts) {})
	for name, test := range map[string]struct {
		facts  disk.Facts
		report probe.Report
		state  disk.State
		reason string
		says   string
	}{
		"takes a blank disk": {plain, blank, disk.Available, disk.ReasonBlank, "blank"},
		"recognises an OSD":  {plain, labelled(0, osd()), disk.OSD, disk.ReasonOSD, "holds osd.3 (uuid U) of cluster F"},
		"recognises an OSD whose label looks like an Atari table": {
			with(func(f *disk.Facts) { f.Partitions = []disk.Partition{{KernelName: "sdb1"}} }),
			probe.Report{Labels: labelled(0, osd()).Labels, Signatures: []probe.Signature{phantom}, UnknownAt: -1},
			disk.OSD, disk.ReasonOSD, "osd.3",
		},
		"says when the preparation of an OSD did not end": {plain, labelled(0, osd("ready", "")), disk.OSD, disk.ReasonUnfinishedOSD, "did not end"},
		"names the role of a database device":             {plain, labelled(0, bluestore.Label{OSDUUID: "U", Description: "bluefs db"}), disk.OSD, disk.ReasonOSD, "the bluefs db of the OSD with uuid U"},
		"refuses what a partial wipe left":                {plain, labelled(1<<30, osd("multi", "yes")), disk.Rejected, disk.ReasonRemnant, "partly wiped"},
		"refuses a lone label deep in the disk":           {plain, labelled(1<<30, osd()), disk.Rejected, disk.ReasonRemnant, "osd.3"},
		"refuses a damaged label":                         {plain, damaged, disk.Rejected, disk.ReasonDamagedLabel, "corrupt"},
		"refuses a mounted disk":                          {with(func(f *disk.Facts) { f.Mounts = []string{"/var/lib/kubelet/pods/x", "/data"} }), blank, disk.InUse, disk.ReasonMounted, "mounted at /data"},
		"refuses active swap":                             {with(func(f *disk.Facts) { f.Swap = true }), blank, disk.InUse, disk.ReasonSwap, "swap"},
		"refuses a held disk":                             {with(func(f *disk.Facts) { f.Holders = []disk.Holder{{"dm-0", "vg-root", "LVM-abc"}} }), blank, disk.InUse, disk.ReasonHolder, "holder dm-0 (LVM vg-root)"},
		"refuses a path of a multipath disk":              {with(func(f *disk.Facts) { f.Holders = []disk.Holder{{"dm-1", "mpatha", "mpath-36"}} }), blank, disk.InUse, disk.ReasonHolder, "mpatha"},
		"looks at partitions too":                         {with(func(f *disk.Facts) { f.Partitions = []disk.Partition{{KernelName: "sdb1", Mounts: []string{"/boot"}}} }), blank, disk.InUse, disk.ReasonMounted, "partition sdb1 is mounted at /boot"},
		"refuses a partition table":                       {plain, found(probe.Signature{Type: "gpt", Kind: probe.PartitionTable, Offset: 512, Partitions: 3}), disk.Rejected, disk.ReasonPartitioned, "gpt partition table with 3 partitions"},
		"refuses a phantom partition table":               {plain, found(phantom), disk.Rejected, disk.ReasonPartitioned, "atari"},
		"refuses partitions that only the kernel sees":    {with(func(f *disk.Facts) { f.Partitions = []disk.Partition{{KernelName: "sdb1"}} }), blank, disk.Rejected, disk.ReasonPartitioned, "1 partition"},
		"names a file system behind a boot sector":        {plain, found(probe.Signature{Type: "boot-sector", Kind: probe.PartitionTable}, ext4), disk.Rejected, disk.ReasonFilesystem, "has ext4 filesystem (label ROOT) at offset 1080"},
		"refuses data without a name":                     {plain, probe.Report{UnknownAt: 5000}, disk.Rejected, disk.ReasonUnknownData, "offset 5000"},
		"refuses a read-only disk":                        {with(func(f *disk.Facts) { f.ReadOnly = true }), blank, disk.Rejected, disk.ReasonReadOnly, "read-only"},
		"refuses a removable medium":                      {with(func(f *disk.Facts) { f.Removable = true }), blank, disk.Rejected, disk.ReasonRemovable, "removable"},
		"refuses a small disk":                            {with(func(f *disk.Facts) { f.SizeBytes = 4 * gib }), blank, disk.Rejected, disk.ReasonTooSmall, "4GiB is smaller than 5GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			got := disk.Judge(test.facts, test.report, disk.Policy{MinSizeBytes: disk.DefaultMinSize})
			if got.State != test.state || got.Reason != test.reason || !strings.Contains(got.Message, test.says) {
				t.Errorf("Judge = %+v, want %s %s saying %q", got, test.state, test.reason, test.says)
			}
		})
	}
}

func TestScreen(t *testing.T) {
	loop := func(file string) disk.Facts { return disk.Facts{Kind: disk.Loop, BackingFile: file, SizeBytes: gib} }
	allowed := disk.Policy{AllowLoop: true, VolumeDirs: []string{"/var/lib/kubelet"}}
	for name, test := range map[string]struct {
		facts  disk.Facts
		policy disk.Policy
		final  bool
		reason string
	}{
		"lets a disk pass":                                {disk.Facts{Kind: disk.Disk, SizeBytes: gib}, allowed, false, ""},
		"lets an allowed loop device pass":                {loop("/srv/disk0.img"), allowed, false, ""},
		"ignores loop devices unless allowed":             {loop("/srv/disk0.img"), disk.Policy{}, true, disk.ReasonLoopNotAllowed},
		"ignores a loop device without a file":            {loop(""), allowed, true, disk.ReasonNoBackingFile},
		"ignores a volume of a pod":                       {loop("/var/lib/kubelet/plugins/x/image"), allowed, true, disk.ReasonCSIVolume},
		"ignores a volume that is exported in user space": {disk.Facts{Kind: disk.Loop, BackingFile: "/x/image", BackingFUSE: true, SizeBytes: gib}, allowed, true, disk.ReasonCSIVolume},
		"compares whole directory names":                  {loop("/var/lib/kubelet-disks/0"), allowed, false, ""},
		"refuses a loop device whose file is gone":        {loop("/srv/disk0.img (deleted)"), allowed, true, disk.ReasonBackingDeleted},
		"refuses a device without a medium":               {disk.Facts{Kind: disk.Disk}, allowed, true, disk.ReasonNoMedium},
		"ignores rbd, nbd, drbd":                          {disk.Facts{Kind: disk.Network, SizeBytes: gib}, allowed, true, disk.ReasonNotADisk},
		"ignores logical volumes and opened encryption":   {disk.Facts{Kind: disk.Mapper, SizeBytes: gib}, allowed, true, disk.ReasonNotADisk},
		"lets a multipath map pass":                       {disk.Facts{Kind: disk.Multipath, SizeBytes: gib}, allowed, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, final := disk.Screen(test.facts, test.policy)
			if final != test.final || got.Reason != test.reason {
				t.Errorf("Screen = %+v, %v; want %q, %v", got, final, test.reason, test.final)
			}
		})
	}
}
