package scan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// attach makes a real loop device over an empty file. Without the right to do
// so the test is skipped: only a kernel can prove exclusive opens.
func attach(t *testing.T, size int64) (name string, backing *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	defer func() { _ = control.Close() }()
	backing, err = os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backing.Close() })
	if err := backing.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			t.Skipf("needs loop devices: %v", err)
		}
		name = fmt.Sprintf("loop%d", number)
		loop, err := os.OpenFile("/dev/"+name, os.O_RDWR, 0)
		if err != nil {
			t.Skipf("needs loop devices: %v", err)
		}
		err = unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_SET_FD, int(backing.Fd()))
		if errors.Is(err, syscall.EBUSY) {
			_ = loop.Close() // somebody else took it meanwhile
			continue
		}
		if err != nil {
			t.Skipf("needs loop devices: %v", err)
		}
		t.Cleanup(func() {
			if err := errors.Join(unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_CLR_FD, 0), loop.Close()); err != nil {
				t.Errorf("detach %s: %v", name, err)
			}
		})
		return name, backing
	}
	t.Fatal("no free loop device")
	return "", nil
}

func machine() scan.Scanner {
	return scan.Scanner{Host: disk.Local(), Nodes: scan.DevDir("/dev"), Policy: disk.Policy{AllowLoop: true, MinSizeBytes: 1 << 20}, Stuck: &scan.Stuck{}}
}

func TestClaimGivesABlankDiskToOneOwnerOnly(t *testing.T) {
	name, _ := attach(t, 16<<20)
	file, got, err := machine().Claim(context.Background(), name, "/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if got.Verdict.State != disk.Available {
		t.Errorf("verdict %+v, want Available", got.Verdict)
	}
	if _, _, err := machine().Claim(context.Background(), name, "/dev"); !errors.Is(err, scan.ErrRefused) {
		t.Errorf("second Claim = %v, want %v", err, scan.ErrRefused)
	}
	if _, err := file.WriteAt([]byte("mine"), 0); err != nil {
		t.Errorf("write to the claimed disk: %v", err)
	}
}

func TestClaimRefusesADiskThatChangedSinceTheScan(t *testing.T) {
	name, backing := attach(t, 16<<20)
	found, err := machine().Some(context.Background(), []string{name})
	if err != nil || len(found) != 1 || found[0].Verdict.State != disk.Available {
		t.Fatalf("scan: %+v, %v", found, err)
	}
	if _, err := backing.WriteAt([]byte("LABELONE"), 512); err != nil {
		t.Fatal(err)
	}
	_, got, err := machine().Claim(context.Background(), name, "/dev")
	if !errors.Is(err, scan.ErrRefused) || got.Verdict.Reason != disk.ReasonVolumeMember {
		t.Errorf("Claim = %+v, %v; want it refused as a volume member", got.Verdict, err)
	}
}

func TestClaimRefusesANodeOfAnotherDevice(t *testing.T) {
	name, _ := attach(t, 16<<20)
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	if file, _, err := machine().Claim(context.Background(), name, scan.DevDir(dir)); err == nil {
		_ = file.Close()
		t.Error("Claim opened /dev/null as a disk")
	}
}
