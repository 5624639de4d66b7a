//go:build integration

package device

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/disk/disktest"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// labelledFile is a disk with the finished label of an OSD at several offsets,
// and with data that looks like other things.
func labelledFile(t *testing.T, osd Identity, size int64) *os.File {
	t.Helper()
	block, err := encode(osd, size, time.Unix(0, 0), map[string]string{"ceph_fsid": osd.FSID, "whoami": "3", "ready": "ready", "multi": "yes", "epoch": "1"})
	if err != nil {
		t.Fatal(err)
	}
	file := blankFile(t, size)
	for _, offset := range []int64{0, 1 << 30} {
		if _, err := file.WriteAt(block, offset); err != nil {
			t.Fatal(err)
		}
	}
	for offset, text := range map[int64]string{200 << 20: "user data", 512: "LABELONE", 64<<20 + 64: "_BHRfS_M"} {
		if _, err := file.WriteAt([]byte(text), offset); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func TestWipeDestroysTheOSDAndReadsTheDiskBackAsBlank(t *testing.T) {
	for name, change := range map[string]func(*Wiping){
		"quick":               func(*Wiping) {},
		"complete with zeros": func(w *Wiping) { w.Complete, w.Passes = true, 1 },
		"complete at random":  func(w *Wiping) { w.Complete, w.Passes, w.Source = true, 2, rand.Reader },
	} {
		t.Run(name, func(t *testing.T) {
			osd := freshOSD()
			size := int64(1<<30 + 64<<20)
			l := attach(t, labelledFile(t, osd, size))
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			w := Wiping{Machine: thisMachine(), OSD: osd, StableID: l.stableID(), DataDir: dir}
			change(&w)
			if got := Wipe(t.Context(), w); got.Outcome != receipt.Wiped {
				t.Fatalf("got %+v", got)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("the data directory is still there: %v", err)
			}
			report, err := probe.Scan(l.device, size)
			if err != nil || !report.Blank() {
				t.Errorf("found %+v, %v", report, err)
			}
			if got := Wipe(t.Context(), w); got.Outcome != receipt.Wiped {
				t.Errorf("a second time: %+v", got)
			}
		})
	}
}

func TestWipeTouchesNoDiskOfAnybodyElse(t *testing.T) {
	osd := freshOSD()
	for name, change := range map[string]func(*Identity){
		"another cluster": func(o *Identity) { o.FSID = "99999999-2222-3333-4444-555555555555" },
		"another OSD":     func(o *Identity) { o.UUID = "bbbbbbbb-2222-3333-4444-555555555555" },
		"another number":  func(o *Identity) { o.ID = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			file := labelledFile(t, osd, 1<<30+64<<20)
			before := fingerprint(t, file)
			l := attach(t, file)
			wanted := osd
			change(&wanted)
			got := Wipe(t.Context(), Wiping{Machine: thisMachine(), OSD: wanted, StableID: l.stableID()})
			l.detach()
			if got.Outcome != receipt.Refused {
				t.Errorf("got %+v", got)
			}
			if fingerprint(t, file) != before {
				t.Error("the disk was written to")
			}
		})
	}
}

func TestWipeTouchesNothingOfAnyDiskOfTheCorpus(t *testing.T) {
	for name, image := range disktest.Corpus(t, "../../../../shared/disk/probe/testdata/corpus") {
		t.Run(name, func(t *testing.T) {
			file := disktest.Unpack(t, image, filepath.Join(t.TempDir(), "disk"))
			before := fingerprint(t, file)
			l := attach(t, file)
			got := Wipe(t.Context(), Wiping{Machine: thisMachine(), OSD: freshOSD(), StableID: l.stableID()})
			l.detach()
			if got.Outcome != receipt.Refused && name != "blank" && name != "noise-only-later" {
				t.Errorf("got %+v", got)
			}
			if fingerprint(t, file) != before {
				t.Error("the disk was written to")
			}
		})
	}
}

func TestWipeLeavesADiskInUseAlone(t *testing.T) {
	osd := freshOSD()
	l := attach(t, labelledFile(t, osd, 1<<30+64<<20))
	holder, err := os.OpenFile("/dev/"+l.name, os.O_RDONLY|syscall.O_EXCL, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	if got := Wipe(t.Context(), Wiping{Machine: thisMachine(), OSD: osd, StableID: l.stableID()}); got.Outcome != receipt.Refused || got.Reason != "InUse" {
		t.Errorf("got %+v", got)
	}
}
