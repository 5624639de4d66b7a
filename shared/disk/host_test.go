package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/disktest"
)

const gib = 1 << 30

func facts(t *testing.T, m *disktest.Machine, name string) disk.Facts {
	t.Helper()
	usage, err := m.Host().Usage()
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Host().Facts(name, usage)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFactsOfASCSIDisk(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", Slot: "0000:00:1f.2/host0", SizeBytes: 8 * gib, Partitions: []int64{gib, 2 * gib}, Attributes: map[string]string{
		"queue/rotational": "1\n", "removable": "0\n", "ro": "0\n",
		"device/model": "ST8000NM0055    \n", "device/vendor": "ATA     \n",
		"device/wwid": "naa.5000c500a1b2c3d4\n", "device/vpd_pg80": "\x00\x80\x00\x08  ZA1BCD", "sda1/uevent": "PARTN=1\nPARTNAME=EFI System\n",
	}})
	m.Mount("8:2", "/", "/dev/root")
	m.Mount("8:2", "/var/lib/my\\040data", "/dev/root")
	m.Hold("sda/sda1", "dm-0")
	got := facts(t, m, "sda")
	want := disk.Facts{
		KernelName: "sda", Major: 8, Kind: disk.Disk, SizeBytes: 8 * gib, LogicalSector: 512, PhysicalSector: 4096,
		Rotational: true, Model: "ST8000NM0055", Vendor: "ATA", Serial: "ZA1BCD", WWN: "naa.5000c500a1b2c3d4",
		Location: "pci0000:00/0000:00:1f.2/host0",
		Partitions: []disk.Partition{
			{KernelName: "sda1", Number: 1, StartBytes: 1 << 20, SizeBytes: gib, Label: "EFI System", Holders: []disk.Holder{{KernelName: "dm-0"}}},
			{KernelName: "sda2", Number: 2, StartBytes: 1<<20 + gib, SizeBytes: 2 * gib, Mounts: []string{"/", "/var/lib/my data"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestStableIDSurvivesARename(t *testing.T) {
	for name, device := range map[string]disktest.Device{
		"by WWN":      {Attributes: map[string]string{"device/wwid": "naa.5000c500a1b2c3d4", "device/vpd_pg80": "\x00\x80\x00\x03abc"}},
		"by serial":   {Attributes: map[string]string{"serial": "drive-7", "device/model": "QEMU HARDDISK"}},
		"by location": {Slot: "0000:00:05.0/virtio3"},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := disktest.New(t), disktest.New(t)
			device.SizeBytes = gib
			device.Name = "sdb"
			before.Add(device)
			device.Name = "sdc"
			device.Minor = 32
			after.Add(device)
			first, second := facts(t, before, "sdb"), facts(t, after, "sdc")
			if first.StableID() != second.StableID() {
				t.Errorf("stable id %q became %q", first.StableID(), second.StableID())
			}
			if want := name != "by location"; first.Anchored() != want {
				t.Errorf("Anchored() of %q = %v, want %v", first.StableID(), first.Anchored(), want)
			}
		})
	}
}

func TestKindDecidesFromTheNameBeforeAnythingElse(t *testing.T) {
	m := disktest.New(t)
	for name, want := range map[string]disk.Kind{
		"sda": disk.Disk, "nvme0n1": disk.Disk, "vdb": disk.Disk, "mmcblk0": disk.Disk, "rbdlike": disk.Disk,
		"rbd0": disk.Network, "nbd12": disk.Network, "drbd1": disk.Network, "zd16": disk.Network, "ublkb0": disk.Network,
		"zram0": disk.Memory, "ram3": disk.Memory, "sr0": disk.Optical, "fd0": disk.Optical,
		"loop3": disk.Loop, "md127": disk.Array, "md_d0": disk.Array, "dm-3": disk.Mapper,
		"mmcblk0boot0": disk.Firmware, "mmcblk0rpmb": disk.Firmware, "mtdblock0": disk.Firmware, "bcache0": disk.Virtual,
	} {
		// Even with hardware behind it, a network device stays one.
		m.Add(disktest.Device{Name: name, SizeBytes: gib})
		if got := facts(t, m, name).Kind; got != want {
			t.Errorf("kind of %s = %s, want %s", name, got, want)
		}
	}
	m.Add(disktest.Device{Name: "odd0", SizeBytes: gib, Virtual: true})
	m.Add(disktest.Device{Name: "dm-9", SizeBytes: gib, Virtual: true, Attributes: map[string]string{"dm/uuid": "mpath-3600a098"}})
	m.Add(disktest.Device{Name: "nvme0c0n1", SizeBytes: gib, Attributes: map[string]string{"hidden": "1"}})
	for name, want := range map[string]disk.Kind{"odd0": disk.Virtual, "dm-9": disk.Multipath, "nvme0c0n1": disk.Hidden} {
		if got := facts(t, m, name).Kind; got != want {
			t.Errorf("kind of %s = %s, want %s", name, got, want)
		}
	}
}

func TestUsageSeesWhatTheMountTableOfOneProcessHides(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sdb", SizeBytes: gib})
	m.Add(disktest.Device{Name: "sdc", SizeBytes: gib})
	m.Add(disktest.Device{Name: "sdd", SizeBytes: gib})
	m.Mount("0:45", "/data", "/dev/sdb") // btrfs has an anonymous device number
	m.Swap("/dev/sdd")
	hidden := filepath.Join(m.Host().Sys, "fs/xfs/sdc")
	if err := os.MkdirAll(hidden, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, m, "sdb").Mounts; !cmp.Equal(got, []string{"/data"}) {
		t.Errorf("mounts of sdb = %v", got)
	}
	if got := facts(t, m, "sdc").Mounts; len(got) != 1 {
		t.Errorf("mounts of sdc = %v, want a note about another mount namespace", got)
	}
	if !facts(t, m, "sdd").Swap || facts(t, m, "sdc").Swap {
		t.Error("swap: want sdd only")
	}
}

func TestFactsOfAVanishedDiskAreNotFound(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sdb", SizeBytes: gib})
	m.Remove("sdb")
	if _, err := m.Host().Facts("sdb", disk.Usage{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Facts = %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := m.Host().Facts("../etc", disk.Usage{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Facts of a path = %v, want %v", err, fs.ErrInvalid)
	}
}

func TestObjectNamesAreShortStableAndDistinct(t *testing.T) {
	long := string(make([]byte, 0, 300))
	for range 60 {
		long += "node."
	}
	first, second := disk.ObjectName("n1", "wwn:a"), disk.ObjectName("n1", "wwn:b")
	if first == second || first != disk.ObjectName("n1", "wwn:a") || len(first) != len("n1-")+10 {
		t.Errorf("names %q and %q", first, second)
	}
	if got := disk.ObjectName(long, "wwn:a"); len(got) > 253 {
		t.Errorf("name has %d characters", len(got))
	}
}

// FuzzSysfs feeds arbitrary attribute values: facts must stay within bounds and
// fit into an API object.
func FuzzSysfs(f *testing.F) {
	f.Add("8:0\n", "2048\n", "naa.5000\n", "\x00\x80\x00\x02ab", "/dev/sda1 x 1 0 -2", "25 1 8:0 / / rw - ext4 /dev/sda rw")
	f.Add("8:", "-1", "", "", "", "25 1 - -")
	f.Add("9999999999:1", "9223372036854775807", "\xff\xfe", "\x00", "\\040", "1 2 3:4 / \\04")
	f.Fuzz(func(t *testing.T, dev, size, wwid, page, swaps, mounts string) {
		m := disktest.New(t)
		m.Add(disktest.Device{Name: "sda", SizeBytes: gib, Attributes: map[string]string{"dev": dev, "size": size, "wwid": wwid, "device/vpd_pg80": page}})
		for path, content := range map[string]string{"swaps": swaps, "1/mountinfo": mounts} {
			if err := os.WriteFile(filepath.Join(m.Host().Proc, path), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		usage, err := m.Host().Usage()
		if err != nil {
			return
		}
		got, err := m.Host().Facts("sda", usage)
		if err != nil {
			return
		}
		if got.SizeBytes < 0 {
			t.Errorf("size %d", got.SizeBytes)
		}
		for _, text := range []string{got.WWN, got.Serial, got.StableID()} {
			for _, r := range text {
				if r < ' ' || r > '~' {
					t.Errorf("%q is not printable", text)
				}
			}
		}
	})
}
