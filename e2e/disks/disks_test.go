//go:build e2e

// Package disks tells the story of a disk that is plugged in: it becomes an OSD
// without any edit, unless there is something on it.
package disks

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestANewDiskBecomesAnOSD(t *testing.T) {
	h := harness.New(t)
	before := osds(t, h)
	h.Localkube(t, "add-disk", "--node", "node1")
	h.Eventually(t, 90*time.Second, "the new disk's OSD is up", func(context.Context) (bool, string) {
		now := osds(t, h)
		up := 0
		for _, osd := range now {
			if osd.Status.Up != nil && *osd.Status.Up {
				up++
			}
		}
		return len(now) == len(before)+1 && up == len(now), fmt.Sprintf("%d OSDs, %d up", len(now), up)
	})
	h.AwaitSettled(t, 3*time.Minute)
}

func osds(t *testing.T, h *harness.Harness) []inventory.CephOSD {
	t.Helper()
	list := inventory.CephOSDList{}
	if err := h.List(t.Context(), &list, client.InNamespace(harness.Namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}
