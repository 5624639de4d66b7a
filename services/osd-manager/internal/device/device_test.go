package device

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

func someOSD() Identity {
	return Identity{ID: 3, UUID: "aaaaaaaa-2222-3333-4444-555555555555", FSID: "11111111-2222-3333-4444-555555555555"}
}

func TestTheAnnouncementIsALabelThatNamesTheOSDAndIsNotReady(t *testing.T) {
	now := time.Unix(1700000000, 42).UTC()
	block, err := encodeLabel(someOSD(), 6<<30, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(block) != bluestore.BlockSize {
		t.Fatalf("%d bytes, want %d", len(block), bluestore.BlockSize)
	}
	got, err := bluestore.Parse(block)
	if err != nil {
		t.Fatal(err)
	}
	want := bluestore.Label{
		OSDUUID: someOSD().UUID, SizeBytes: 6 << 30, Created: now, Description: "main",
		Meta: map[string]string{"ceph_fsid": someOSD().FSID, "whoami": "3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Ready() {
		t.Error("an OSD that is only announced reads as finished")
	}
}

func TestNoLabelIsMadeForAMalformedUUID(t *testing.T) {
	osd := someOSD()
	osd.UUID = "not-a-uuid"
	if _, err := encodeLabel(osd, 6<<30, time.Unix(0, 0)); err == nil {
		t.Error("want an error")
	}
}

// labelled is a disk with the label of the OSD, changed by change.
func labelled(t *testing.T, change func(*Identity)) scan.Disk {
	t.Helper()
	osd := someOSD()
	change(&osd)
	block, err := encodeLabel(osd, 6<<30, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	found, err := bluestore.Read(bytes.NewReader(block), int64(len(block)))
	if err != nil {
		t.Fatal(err)
	}
	return scan.Disk{Report: probe.Report{Labels: found}}
}

func TestOwns(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Identity)
		want   bool
	}{
		"the same OSD":                 {func(*Identity) {}, true},
		"another uuid":                 {func(o *Identity) { o.UUID = "bbbbbbbb-2222-3333-4444-555555555555" }, false},
		"the same uuid, other cluster": {func(o *Identity) { o.FSID = "99999999-2222-3333-4444-555555555555" }, false},
		"the same uuid, other id":      {func(o *Identity) { o.ID = 4 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := someOSD().Owns(labelled(t, test.change)); got != test.want {
				t.Errorf("Owns = %v, want %v", got, test.want)
			}
		})
	}
	if someOSD().Owns(scan.Disk{}) {
		t.Error("a disk without a label is nobody's")
	}
}

func TestAnUnfinishedOSDIsNotStarted(t *testing.T) {
	a := Activation{OSD: someOSD()}
	if err := a.usable(labelled(t, func(*Identity) {})); err == nil {
		t.Error("want an error")
	}
}

func TestReplaceLinkPointsAtTheNewDeviceAndLeavesARightOneAlone(t *testing.T) {
	link := filepath.Join(t.TempDir(), "block")
	for _, target := range []string{"/dev/sdb", "/dev/sdb", "/dev/sdc"} {
		if err := replaceLink(target, link); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(link); err != nil || got != target {
			t.Errorf("link to %q, %v; want %q", got, err, target)
		}
	}
	if err := os.WriteFile(link+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceLink("/dev/sdd", link); err != nil {
		t.Errorf("a left-over of a crash is in the way: %v", err)
	}
}

func TestInstallCopiesTheProgram(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := Install(dir); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "osd-prepare"))
	if err != nil || info.Mode().Perm() != 0o755 || info.Size() == 0 {
		t.Errorf("installed: %+v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
