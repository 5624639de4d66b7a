package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// Disk returns what is known about a device of the only node; nil when nothing is.
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

// Checksum reads a whole device, on its node.
func (h *Harness) Checksum(t *testing.T, device string) string {
	t.Helper()
	sum, _, found := strings.Cut(h.Localkube(t, "exec", "--node", "node1", "--", "sha256sum", device), " ")
	if !found || len(sum) != 64 {
		t.Fatalf("checksum of %s: %q", device, sum)
	}
	return sum
}
