//go:build integration

package loop_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/loop"
)

const patience = 10 * time.Second

// attach binds a file to a loop device under a name until the test ends.
func attach(t *testing.T, file, name string) (int, loop.File) {
	t.Helper()
	index, err := loop.Attach(file, name, loop.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	own, err := loop.Identify(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loop.Detach(index, own, name, patience); err != nil && !errors.Is(err, loop.ErrNotAttached) {
			t.Error(err)
		}
	})
	return index, own
}

func image(t *testing.T) string {
	t.Helper()
	// Direct I/O needs a file system of a disk.
	dir, err := os.MkdirTemp("/var/tmp", "loop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "image")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func serves(t *testing.T, index int, file loop.File, name string) bool {
	t.Helper()
	serves, err := loop.Serves(index, file, name)
	if err != nil {
		t.Fatal(err)
	}
	return serves
}

func TestDetach_leaves_another_volume_with_the_same_file_number_alone(t *testing.T) {
	// Both volumes' files have one device and inode number, as those of two storage
	// daemons have of which one started after the other ended.
	file := image(t)
	index, own := attach(t, file, "volume-b")
	if err := loop.Detach(index, own, "volume-a", patience); !errors.Is(err, loop.ErrNotAttached) {
		t.Errorf("want ErrNotAttached, got %v", err)
	}
	if serves(t, index, own, "volume-a") {
		t.Error("the device of volume-b passes for that of volume-a")
	}
	if !serves(t, index, own, "volume-b") {
		t.Error("volume-b lost its device to the record of volume-a")
	}
}

func TestDetach_leaves_another_file_of_the_same_name_alone(t *testing.T) {
	index, own := attach(t, image(t), "volume")
	other, err := loop.Identify(image(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := loop.Detach(index, other, "volume", patience); !errors.Is(err, loop.ErrNotAttached) {
		t.Errorf("want ErrNotAttached, got %v", err)
	}
	if !serves(t, index, own, "volume") {
		t.Error("the device is gone")
	}
}

func TestDetach_frees_its_own_device_once(t *testing.T) {
	file := image(t)
	index, own := attach(t, file, "volume")
	if err := loop.Detach(index, own, "volume", patience); err != nil {
		t.Fatal(err)
	}
	if serves(t, index, own, "volume") {
		t.Error("the device still serves")
	}
	if err := loop.Detach(index, own, "volume", patience); !errors.Is(err, loop.ErrNotAttached) {
		t.Errorf("want ErrNotAttached, got %v", err)
	}
}

func TestRefresh_shows_what_its_own_file_grew_by(t *testing.T) {
	const larger = 4 << 20
	file := image(t)
	index, own := attach(t, file, "volume")
	if err := os.Truncate(file, larger); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		t.Helper()
		device, err := os.Open(loop.Device(index))
		if err != nil {
			t.Fatal(err)
		}
		defer device.Close()
		shown, err := device.Seek(0, io.SeekEnd)
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	if err := loop.Refresh(index, own, "another"); !errors.Is(err, loop.ErrNotAttached) || size() == larger {
		t.Errorf("want ErrNotAttached, got %v; the device has %d", err, size())
	}
	if err := loop.Refresh(index, own, "volume"); err != nil || size() != larger {
		t.Errorf("the device has %d, %v", size(), err)
	}
}
