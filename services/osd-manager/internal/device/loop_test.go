//go:build integration

package device

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/disktest"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// loop is a real loop device over a file.
type loop struct {
	t      *testing.T
	name   string
	file   *os.File
	device *os.File
}

// attach makes a loop device over file. Only a kernel can prove exclusive
// opens, so the tests need root.
func attach(t *testing.T, file *os.File) *loop {
	t.Helper()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	defer func() { _ = control.Close() }()
	for range 50 {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			t.Skipf("needs loop devices: %v", err)
		}
		l := &loop{t: t, name: fmt.Sprintf("loop%d", number), file: file}
		if l.device, err = os.OpenFile("/dev/"+l.name, os.O_RDWR, 0); err != nil {
			t.Skipf("needs loop devices: %v", err)
		}
		err = unix.IoctlSetInt(int(l.device.Fd()), unix.LOOP_SET_FD, int(file.Fd()))
		if errors.Is(err, syscall.EBUSY) {
			_ = l.device.Close() // somebody else took it meanwhile
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.detach)
		return l
	}
	t.Fatal("no free loop device")
	return nil
}

// detach takes the device away; a second time does nothing.
func (l *loop) detach() {
	if l.device == nil {
		return
	}
	if err := errors.Join(unix.IoctlSetInt(int(l.device.Fd()), unix.LOOP_CLR_FD, 0), l.device.Close()); err != nil {
		l.t.Errorf("detach %s: %v", l.name, err)
	}
	l.device = nil
	// Whoever has it open for a moment (a scan of the node) delays the detach.
	deadline, tick := time.Now().Add(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		file, err := os.ReadFile("/sys/block/" + l.name + "/loop/backing_file")
		if err != nil || strings.TrimSpace(string(file)) != l.file.Name() {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%s stays attached", l.name)
		}
	}
}

func (l *loop) stableID() string { return "file:" + l.file.Name() }

func blankFile(t *testing.T, size int64) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return file
}

func thisMachine() Machine {
	return Machine{Dev: "/dev", Scanner: scan.Scanner{
		Host: disk.Local(), Nodes: scan.DevDir("/dev"), Policy: disk.Policy{AllowLoop: true},
	}}
}

// freshOSD is an OSD that no other disk of this machine holds.
func freshOSD() Identity {
	osd := someOSD()
	osd.UUID = uuid.NewString()
	return osd
}

// formatter stands in for ceph-osd where a test is about what comes before it.
type formatter struct {
	called []string
	format func(device string) error
}

func (f *formatter) Format(_ context.Context, device string, _ Identity) error {
	f.called = append(f.called, device)
	if f.format == nil {
		return errors.New("must not be called")
	}
	return f.format(device)
}

// fingerprint is a hash of every byte of a sparse file that was ever written.
func fingerprint(t *testing.T, file *os.File) string {
	t.Helper()
	hash := sha256.New()
	for at := int64(0); ; {
		start, err := unix.Seek(int(file.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, syscall.ENXIO) {
			return fmt.Sprintf("%x", hash.Sum(nil))
		}
		if err != nil {
			t.Fatal(err)
		}
		end, err := unix.Seek(int(file.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			t.Fatal(err)
		}
		_ = binary.Write(hash, binary.LittleEndian, start)
		if _, err := io.Copy(hash, io.NewSectionReader(file, start, end-start)); err != nil {
			t.Fatal(err)
		}
		at = end
	}
}

func TestPrepareTouchesNothingOfAnyDiskOfTheCorpus(t *testing.T) {
	for name, image := range disktest.Corpus(t, "../../../../shared/disk/probe/testdata/corpus") {
		t.Run(name, func(t *testing.T) {
			file := disktest.Unpack(t, image, filepath.Join(t.TempDir(), "disk"))
			before := fingerprint(t, file)
			l := attach(t, file)
			announced := false
			f := &formatter{}
			blank := name == "blank" || name == "noise-only-later" // beyond what counts
			if blank {
				f.format = func(string) error { announced = true; return nil }
			}
			got := Prepare(t.Context(), Preparation{Machine: thisMachine(), OSD: freshOSD(), StableID: l.stableID(), Formatter: f, Now: time.Unix(0, 0)})
			l.detach()
			if blank {
				if !announced {
					t.Fatalf("a blank disk was not prepared: %+v", got)
				}
				return
			}
			if got.Outcome != receipt.Refused || got.Reason == "" || got.Message == "" {
				t.Errorf("got %+v, want it refused with a reason", got)
			}
			if len(f.called) > 0 {
				t.Error("ceph-osd was started")
			}
			if after := fingerprint(t, file); after != before {
				t.Error("the disk was written to")
			}
		})
	}
}

func TestPrepareRefusesADiskThatSomebodyHasOpenExclusively(t *testing.T) {
	l := attach(t, blankFile(t, 64<<20))
	holder, err := os.OpenFile("/dev/"+l.name, os.O_RDONLY|syscall.O_EXCL, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	got := Prepare(t.Context(), Preparation{Machine: thisMachine(), OSD: freshOSD(), StableID: l.stableID(), Formatter: &formatter{}})
	if got.Outcome != receipt.Refused || got.Reason != "InUse" {
		t.Errorf("got %+v, want it refused as in use", got)
	}
}

func TestPrepareFailsWhenTheDiskIsGone(t *testing.T) {
	got := Prepare(t.Context(), Preparation{Machine: thisMachine(), OSD: freshOSD(), StableID: "file:/no/such/file", Formatter: &formatter{}})
	if got.Outcome != receipt.Failed || got.Reason != "DiskMissing" {
		t.Errorf("got %+v, want a missing disk", got)
	}
}

func TestPrepareGoesOnWithItsOwnInterruptedWorkAndWithNobodyElses(t *testing.T) {
	l := attach(t, blankFile(t, 64<<20))
	broken := &formatter{format: func(string) error { return errors.New("killed") }}
	p := Preparation{Machine: thisMachine(), OSD: freshOSD(), StableID: l.stableID(), Formatter: broken, Now: time.Unix(0, 0)}
	if got := Prepare(t.Context(), p); got.Outcome != receipt.Failed {
		t.Fatalf("got %+v, want a failure", got)
	}
	other := p
	other.OSD = freshOSD()
	if got := Prepare(t.Context(), other); got.Outcome != receipt.Refused {
		t.Errorf("another OSD took the disk: %+v", got)
	}
	if len(broken.called) != 1 {
		t.Errorf("ceph-osd was started %d times, want once", len(broken.called))
	}
	if got := Prepare(t.Context(), p); got.Outcome != receipt.Failed || len(broken.called) != 2 {
		t.Errorf("the same OSD did not go on: %+v", got)
	}
}

// readyLabel is the label of the finished OSD, without a store behind it.
func readyLabel(osd Identity) ([]byte, error) {
	return encode(osd, 64<<20, time.Unix(0, 0), map[string]string{"ceph_fsid": osd.FSID, "whoami": "3", "ready": "ready"})
}

func TestActivateRefusesToChooseBetweenTwoCopiesOfAnOSD(t *testing.T) {
	osd := freshOSD()
	block, err := readyLabel(osd)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		file := blankFile(t, 64<<20)
		if _, err := file.WriteAt(block, 0); err != nil {
			t.Fatal(err)
		}
		attach(t, file)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if device, err := Activate(t.Context(), Activation{Machine: thisMachine(), OSD: osd, DataDir: dir}); err == nil {
		t.Errorf("chose %s", device)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a data directory was made")
	}
}
