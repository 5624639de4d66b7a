package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// Disk returns what is known about a device; nil when nothing is. The nodes share a
// kernel, so no two of them have devices of the same name.
func (h *Harness) Disk(t *testing.T, device string) *inventory.CephDisk {
	t.Helper()
	disks := h.Disks(t)
	for i := range disks {
		if "/dev/"+disks[i].Status.Device == device {
			return &disks[i]
		}
	}
	return nil
}

// Disks returns what is known about all disks.
func (h *Harness) Disks(t *testing.T) []inventory.CephDisk {
	t.Helper()
	list := inventory.CephDiskList{}
	if err := h.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// AwaitDisk waits for discover's verdict about a device.
func (h *Harness) AwaitDisk(t *testing.T, device string, state inventory.ProbeState, reason string, words ...string) {
	t.Helper()
	h.Eventually(t, 30*time.Second, fmt.Sprintf("%s is %s (%s)", device, state, reason), func(context.Context) (bool, string) {
		disk := h.Disk(t, device)
		if disk == nil || disk.Status.Probe == nil {
			return false, "it is unknown"
		}
		probe := disk.Status.Probe
		return probe.State == state && probe.Reason == reason && holds(probe.Message, words),
			fmt.Sprintf("it is %s (%s): %s", probe.State, probe.Reason, probe.Message)
	})
}

// AwaitNoDisk waits until a device that was pulled out is forgotten.
func (h *Harness) AwaitNoDisk(t *testing.T, device string) {
	t.Helper()
	h.Eventually(t, 30*time.Second, device+" is forgotten", func(context.Context) (bool, string) {
		return h.Disk(t, device) == nil, "it is still known"
	})
}

// AssertSame fails the test when a device of a local node holds anything else
// than the file that it was made from.
func (h *Harness) AssertSame(t *testing.T, device, file string) {
	t.Helper()
	want, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	got, err := os.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	const chunk = 4 << 20
	a, b := make([]byte, chunk), make([]byte, chunk)
	for offset := int64(0); ; offset += chunk {
		n, end := io.ReadFull(want, a)
		m, err := io.ReadFull(got, b)
		if err != nil && !errors.Is(err, end) {
			t.Fatalf("read %s at %d: %v", device, offset, err)
		}
		if n != m || !bytes.Equal(a[:n], b[:m]) {
			t.Fatalf("%s was written to, in the %d bytes from %d", device, chunk, offset)
		}
		if end != nil {
			return
		}
	}
}

// Sparse returns a file of that size with some bytes at its beginning.
func Sparse(t *testing.T, size int64, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	return file
}
