//go:build e2e

// Package heal tells the story of daemons that die: each comes back, the cluster
// is HEALTH_OK again, and no other daemon was restarted.
package heal

import (
	"context"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

func TestADeletedDaemonComesBackAlone(t *testing.T) {
	h := harness.New(t)
	volume := h.Use(t, "heal", local.StorageClass)
	for _, role := range []string{"mon", "mgr", "osd", "mds", "rgw"} {
		t.Run(role, func(t *testing.T) {
			before := h.Daemons(t)
			running := before.Of(role)
			if len(running) == 0 {
				t.Fatalf("no %s runs", role)
			}
			victim := running[len(running)-1]
			h.Remove(t, time.Minute, &victim)
			h.Eventually(t, 2*time.Minute, "the "+role+" is back", func(context.Context) (bool, string) {
				return len(h.Daemons(t)) == len(before), "a daemon is missing"
			})
			h.AwaitCeph(t, 2*time.Minute, len(before.Of("mon")), len(before.Of("mgr")), len(before.Of("osd")))
			h.AwaitSettled(t, time.Minute)
			before.AssertUntouched(t, h.Daemons(t), victim.Name)
			h.AwaitBeat(t, volume)
		})
	}
	h.Release(t, volume)
}
