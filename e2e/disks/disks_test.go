//go:build e2e

// Package disks tells the story of disks that are plugged in: a blank one becomes
// an OSD without any edit; one with something on it is left as it is, and says why.
package disks

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// fileSystemSize is large enough for an OSD: the size is no reason to refuse.
const fileSystemSize = 5<<30 + 64<<20

func TestADiskWithDataIsNeverTouchedAndABlankOneBecomesAnOSD(t *testing.T) {
	h := harness.New(t)
	before := h.Daemons(t)
	osds := osdsOf(t, h)

	content := fileSystem(t)
	full := h.Localkube(t, "add-disk", "--node", "node1", "--content", content)
	h.AwaitDisk(t, full, inventory.ProbeRejected, "Filesystem", "ext4")

	blank := h.Localkube(t, "add-disk", "--node", "node1")
	h.Eventually(t, 90*time.Second, "the new disk's OSD is up", func(context.Context) (bool, string) {
		now, up := osdsOf(t, h), 0
		for _, osd := range now {
			if osd.Status.Up != nil && *osd.Status.Up {
				up++
			}
		}
		return len(now) == len(osds)+1 && up == len(now), fmt.Sprintf("%d OSDs, %d up", len(now), up)
	})
	h.AwaitDisk(t, blank, inventory.ProbeOSD, "BlueStoreOSD")
	h.AwaitSettled(t, 2*time.Minute)
	h.AwaitCeph(t, time.Minute, len(before.Of("mon")), len(before.Of("mgr")), len(osds)+1)

	// All that would be done to the disk has been done by now: the one that came
	// after it is in use.
	h.AwaitDisk(t, full, inventory.ProbeRejected, "Filesystem", "ext4")
	if disk := h.Disk(t, full); disk.Status.Selection != nil && disk.Status.Selection.State != inventory.SelectionNotSelected {
		t.Errorf("the disk with a file system is %+v", disk.Status.Selection)
	}
	h.AssertSame(t, full, content)
	before.AssertUntouched(t, h.Daemons(t))
	h.Localkube(t, "remove-disk", "--node", "node1", full)
	h.AwaitNoDisk(t, full)
}

// fileSystem returns a file with an ext4 file system in it.
func fileSystem(t *testing.T) string {
	t.Helper()
	file := harness.Sparse(t, fileSystemSize, nil)
	if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", file).CombinedOutput(); err != nil {
		t.Fatalf("make file system: %v: %s", err, out)
	}
	return file
}

func osdsOf(t *testing.T, h *harness.Harness) []inventory.CephOSD {
	t.Helper()
	list := inventory.CephOSDList{}
	if err := h.List(t.Context(), &list, client.InNamespace(harness.Namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}
