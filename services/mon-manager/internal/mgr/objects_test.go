package mgr

import (
	"testing"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

const fsid = "b9d3a0f4-7c55-4be1-9e0a-3f1f8c6d2a01"

func TestObjects(t *testing.T) {
	c := cluster()
	c.Spec.Mgr.Count = 2
	c.Spec.Dashboard = api.DashboardSpec{Enabled: true, SSL: true}
	golden.Objects(t, "mgr", deployment(c, fsid, "a", "mon-manager:v1"), metricsService(c), dashboardService(c), budget(c))
}
