package scan_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/disktest"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

const (
	gib        = 1 << 30
	corpusPath = "../probe/testdata/corpus"
)

func scanner(m *disktest.Machine) scan.Scanner {
	return scan.Scanner{Host: m.Host(), Nodes: m, Policy: disk.Policy{MinSizeBytes: 1 << 20}, Stuck: &scan.Stuck{}}
}

func all(t *testing.T, s scan.Scanner) map[string]scan.Disk {
	t.Helper()
	found, err := s.All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]scan.Disk{}
	for _, one := range found {
		byName[one.Facts.KernelName] = one
	}
	return byName
}

func TestAllNeverOpensWhatIsNoDisk(t *testing.T) {
	m := disktest.New(t)
	never := []string{"rbd0", "nbd0", "drbd0", "zram0", "zd0", "ublkb0", "sr0", "fd0", "md0", "dm-0", "mmcblk0boot0", "mmcblk0rpmb", "loop0", "ram0", "bcache0", "nvme0c0n1"}
	for i, name := range never {
		m.Add(disktest.Device{Name: name, SizeBytes: 10 * gib, Minor: i, Attributes: map[string]string{"loop/backing_file": "/srv/x", "hidden": "1"}})
		// An open would never return: the scan must end all the same.
		t.Cleanup(m.Hang(name))
	}
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib})
	found := all(t, scanner(m))
	if got := m.Opened(); !cmp.Equal(got, []string{"sda"}) {
		t.Errorf("opened %v, want sda only", got)
	}
	for _, name := range never {
		if got := found[name].Verdict; got.State != disk.Ignored {
			t.Errorf("%s is %+v, want Ignored", name, got)
		}
	}
	if got := found["sda"].Verdict.State; got != disk.Available {
		t.Errorf("sda is %s, want Available", got)
	}
}

func TestAllOpensLoopDevicesOnlyWhenAllowed(t *testing.T) {
	m := disktest.New(t)
	loop := func(name, file string) {
		m.Add(disktest.Device{Name: name, SizeBytes: 10 * gib, Virtual: true, Attributes: map[string]string{"loop/backing_file": file}})
	}
	loop("loop0", "/srv/disk")
	loop("loop1", "/var/lib/kubelet/plugins/volume")
	m.Add(disktest.Device{Name: "loop2", Virtual: true})
	s := scanner(m)
	s.Policy.AllowLoop, s.Policy.VolumeDirs = true, []string{"/var/lib/kubelet"}
	found := all(t, s)
	if got := m.Opened(); !cmp.Equal(got, []string{"loop0"}) {
		t.Errorf("opened %v, want loop0 only", got)
	}
	if got := found["loop0"]; got.Verdict.State != disk.Available || got.Facts.StableID() != "file:/srv/disk" {
		t.Errorf("loop0 is %+v with id %q", got.Verdict, got.Facts.StableID())
	}
}

func TestAllLeavesDisksOfOtherNodesAlone(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib})
	m.Hide("sda")
	if got := all(t, scanner(m))["sda"].Verdict; got.State != disk.Ignored || got.Reason != disk.ReasonNoDeviceNode {
		t.Errorf("verdict %+v, want Ignored NoDeviceNode", got)
	}
	if got := m.Opened(); len(got) > 0 {
		t.Errorf("opened %v", got)
	}
}

func TestAllRejectsOneDiskOverTwoPaths(t *testing.T) {
	m := disktest.New(t)
	for i, name := range []string{"sda", "sdb", "sdc"} {
		id := map[bool]string{true: "naa.1\n", false: "naa.2\n"}[i < 2]
		m.Add(disktest.Device{Name: name, SizeBytes: 10 * gib, Minor: 16 * i, Attributes: map[string]string{"device/wwid": id}})
	}
	found := all(t, scanner(m))
	for name, want := range map[string]string{"sda": disk.ReasonDuplicate, "sdb": disk.ReasonDuplicate, "sdc": disk.ReasonBlank} {
		if got := found[name].Verdict.Reason; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestAHangingDiskDelaysNobodyAndIsNotOpenedTwice(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib})
	m.Add(disktest.Device{Name: "sdb", SizeBytes: 10 * gib, Minor: 16})
	release := m.Hang("sda")
	defer release()
	s := scanner(m)
	s.Timeout = 50 * time.Millisecond
	answered := make(chan string, 1)
	s.Stuck.Answered = func(name string) { answered <- name }
	found := all(t, s)
	if got := found["sda"].Verdict.Reason; got != disk.ReasonUnreadable {
		t.Errorf("sda: %s, want %s", got, disk.ReasonUnreadable)
	}
	if got := found["sdb"].Verdict.State; got != disk.Available {
		t.Errorf("sdb: %s, want Available", got)
	}
	m.Opened()
	if got := all(t, s)["sda"].Verdict.Reason; got != disk.ReasonUnreadable {
		t.Errorf("sda on the second scan: %s, want %s", got, disk.ReasonUnreadable)
	}
	if slices.Contains(m.Opened(), "sda") {
		t.Error("sda was opened again while the first open still hangs")
	}
	release()
	if got := <-answered; got != "sda" {
		t.Errorf("%s answered late, want sda", got)
	}
	if got := all(t, s)["sda"].Verdict.State; got != disk.Available {
		t.Errorf("sda after it answered: %s, want Available", got)
	}
}

func TestAnUnreadableDiskIsRejectedWithTheCause(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib})
	m.Break("sda", syscall.EIO)
	m.Add(disktest.Device{Name: "sdb", SizeBytes: 10 * gib, Minor: 16})
	m.Break("sdb", syscall.EPERM)
	m.Mount("8:16", "/", "/dev/root")
	found := all(t, scanner(m))
	if got := found["sdb"].Verdict; got.State != disk.InUse || got.Message != "mounted at /" {
		t.Errorf("a mounted disk that cannot be opened is %+v", got)
	}
	got := found["sda"].Verdict
	if got.Reason != disk.ReasonUnreadable || !strings.Contains(got.Message, syscall.EIO.Error()) {
		t.Errorf("verdict %+v", got)
	}
}

func TestPartitionsAreDescribedAndNeverCandidates(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib, Partitions: []int64{gib, gib}})
	swap := make([]byte, 4096)
	copy(swap[4086:], "SWAPSPACE2")
	m.Put("sda", 1<<20+gib, swap)
	found := all(t, scanner(m))
	if len(found) != 1 {
		t.Errorf("found %v, want the whole disk only", slices.Collect(maps.Keys(found)))
	}
	got := found["sda"]
	if got.Verdict.Reason != disk.ReasonPartitioned {
		t.Errorf("verdict %+v", got.Verdict)
	}
	if inside := got.Contents["sda2"]; len(inside) != 1 || inside[0].Type != "swap" {
		t.Errorf("contents of sda2 = %v, want swap", inside)
	}
}

// Every image of the corpus, as a disk: only the two blank ones are available,
// only the ones with a good label are OSDs.
func TestVerdictsOverTheCorpus(t *testing.T) {
	paths, err := filepath.Glob(corpusPath + "/*.img.gz")
	if err != nil || len(paths) < 40 {
		t.Fatalf("corpus: %d images, %v", len(paths), err)
	}
	want := map[string]string{
		"blank": "Available Blank", "noise-only-later": "Available Blank",
		"osd-reef": "OSD BlueStoreOSD", "osd-tentacle": "OSD BlueStoreOSD", "osd-with-db": "OSD BlueStoreOSD", "osd-db-device": "OSD BlueStoreOSD",
		"osd-label-only-at-1g": "Rejected BlueStoreRemnant", "osd-label-only-at-10g": "Rejected BlueStoreRemnant",
		"osd-label-only-at-100g": "Rejected BlueStoreRemnant", "osd-label-only-at-1000g": "Rejected BlueStoreRemnant",
		"osd-label-cut": "Rejected DamagedLabel", "osd-label-flipped-bit": "Rejected DamagedLabel",
		"osd-label-text-only": "Rejected DamagedLabel", "osd-label-damaged-and-atari": "Rejected DamagedLabel",
		"wiped-ext4": "Rejected UnknownData", "noise-at-start": "Rejected UnknownData",
		"ext4": "Rejected Filesystem", "ntfs": "Rejected Filesystem", "zfs-last-label": "Rejected VolumeMember", "lvm2": "Rejected VolumeMember",
		"md-1.0": "Rejected RAIDMember", "luks2-second-header-only": "Rejected Encrypted", "swap": "Rejected Swap",
		"gpt": "Rejected Partitioned", "gpt-backup-only": "Rejected Partitioned", "dos-empty": "Rejected Partitioned", "atari-in-noise": "Rejected Partitioned",
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".img.gz")
		m := disktest.New(t)
		m.Add(disktest.Device{Name: "sda", SizeBytes: imageSize(t, path)})
		m.Content("sda", path)
		got := all(t, scanner(m))["sda"]
		verdict := string(got.Verdict.State) + " " + got.Verdict.Reason
		if expected, ok := want[name]; ok && verdict != expected {
			t.Errorf("%s: %s (%s), want %s", name, verdict, got.Verdict.Message, expected)
		} else if !ok && got.Verdict.State != disk.Rejected {
			t.Errorf("%s: %s (%s), want Rejected", name, verdict, got.Verdict.Message)
		}
		if label, ok := got.Label(); ok && label.OSDUUID == "" {
			t.Errorf("%s: label without a uuid", name)
		}
	}
}

func TestSomeReportsWhatCannotBeRead(t *testing.T) {
	m := disktest.New(t)
	m.Add(disktest.Device{Name: "sda", SizeBytes: 10 * gib, Attributes: map[string]string{"dev": "not a number"}})
	_, err := scanner(m).Some(context.Background(), []string{"sda", "gone"})
	if err == nil || !strings.Contains(err.Error(), "sda") || errors.Is(err, context.Canceled) {
		t.Errorf("Some = %v, want an error that names sda", err)
	}
}
