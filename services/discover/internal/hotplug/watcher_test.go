package hotplug

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// patience is how long a test waits for the kernel; it is never waited out
// unless the test fails.
const patience = 10 * time.Second

func TestBlockDeviceNamesTheWholeDisk(t *testing.T) {
	for event, want := range map[string]string{
		"add@/devices/pci/block/sdb\x00ACTION=add\x00DEVPATH=/devices/pci/block/sdb\x00SUBSYSTEM=block\x00DEVTYPE=disk\x00": "sdb",
		"add@/x\x00ACTION=add\x00DEVPATH=/devices/pci/block/sdb/sdb1\x00SUBSYSTEM=block\x00DEVTYPE=partition\x00":           "sdb",
		"change@/x\x00DEVPATH=/devices/virtual/block/dm-0\x00SUBSYSTEM=block\x00DEVTYPE=disk\x00":                           "dm-0",
		"add@/x\x00DEVPATH=/devices/virtual/net/eth0\x00SUBSYSTEM=net\x00":                                                  "",
		"libudev\x00\xfe\xed\xca\xfe": "",
		"":                            "",
	} {
		if got, ok := blockDevice([]byte(event)); got != want || ok != (want != "") {
			t.Errorf("blockDevice(%q) = %q, %v; want %q", event, got, ok, want)
		}
	}
}

func TestBatchesAreSortedAndWithoutDoubles(t *testing.T) {
	batch := Batch{}.with(Change{Device: "sdc"}).with(Change{Device: "sda"}).with(Change{Device: "sdc"}).with(Change{Lost: true})
	if diff := cmp.Diff(Batch{Devices: []string{"sda", "sdc"}, All: true}, batch); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

// start runs a watcher over a directory of device nodes.
func start(t *testing.T, dir string) (*Watcher, <-chan Batch) {
	t.Helper()
	batches := make(chan Batch, 100)
	w, err := New(scan.DevDir(dir), func(_ context.Context, batch Batch) { batches <- batch })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Start = %v, want nil after a cancel", err)
		}
	})
	return w, batches
}

// await reads batches until one names the device.
func await(t *testing.T, batches <-chan Batch, device string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case batch := <-batches:
			if slices.Contains(batch.Devices, device) {
				return
			}
		case <-deadline:
			t.Fatalf("no batch named %s", device)
		}
	}
}

func TestANewDeviceNodeIsNamed(t *testing.T) {
	dir := t.TempDir()
	_, batches := start(t, dir)
	touch(t, filepath.Join(dir, "sdx"))
	await(t, batches, "sdx")
}

func TestOnlyWritersOfFollowedDevicesAreNoticed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sdx", "sdy", "sdz"} {
		touch(t, filepath.Join(dir, name))
	}
	w, batches := start(t, dir)
	if err := w.Follow([]string{"sdx", "sdy", "absent"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Follow([]string{"sdy", "sdz"}); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(dir, "sdx"))
	if _, err := os.ReadFile(filepath.Join(dir, "sdy")); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(dir, "sdz"))
	select {
	case batch := <-batches:
		if diff := cmp.Diff(Batch{Devices: []string{"sdz"}}, batch); diff != "" {
			t.Errorf("batch (-want +got):\n%s", diff)
		}
	case <-time.After(patience):
		t.Fatal("no batch")
	}
}

func TestLinksThatUdevMakesLaterAreFollowed(t *testing.T) {
	dir := t.TempDir()
	_, batches := start(t, dir)
	byID := filepath.Join(dir, "disk/by-id")
	if err := os.Mkdir(filepath.Dir(byID), 0o755); err != nil {
		t.Fatal(err)
	}
	// Links that were made before their directory was watched are unknown: then
	// everything has to be looked at. Later ones are named.
	awaitAll(t, batches)
	if err := os.Mkdir(byID, 0o755); err != nil {
		t.Fatal(err)
	}
	awaitAll(t, batches)
	if err := os.Symlink("../../sdx", filepath.Join(byID, "wwn-0x5000")); err != nil {
		t.Fatal(err)
	}
	await(t, batches, "sdx")
}

// awaitAll reads batches until one asks to look at everything.
func awaitAll(t *testing.T, batches <-chan Batch) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case batch := <-batches:
			if batch.All {
				return
			}
		case <-deadline:
			t.Fatal("no batch asked to look at everything")
		}
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A real event of a real kernel: a loop device gets a file.
func TestTheKernelSaysThatALoopDeviceWasAttached(t *testing.T) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	defer control.Close()
	_, batches := start(t, t.TempDir())
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	name := "loop" + strconv.Itoa(number)
	loop, err := os.OpenFile("/dev/"+name, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	defer loop.Close()
	backing, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer backing.Close()
	if err := backing.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_SET_FD, int(backing.Fd())); err != nil {
		if errors.Is(err, unix.EBUSY) {
			t.Skip("somebody else took the loop device")
		}
		t.Skipf("needs loop devices: %v", err)
	}
	await(t, batches, name)
	// The kernel detaches the file when the last user closes the device.
	if err := errors.Join(unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_CLR_FD, 0), loop.Close()); err != nil {
		t.Fatal(err)
	}
	await(t, batches, name)
}
