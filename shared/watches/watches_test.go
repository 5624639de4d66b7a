package watches_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

func TestClusterPassesWhatDaemonsStandOn(t *testing.T) {
	runs := func(role string) func(*api.CephCluster) {
		return func(c *api.CephCluster) { c.Status.Daemons = map[string]api.DaemonStatus{role: {Image: "new"}} }
	}
	for name, tc := range map[string]struct {
		change   func(*api.CephCluster)
		mds, rgw bool
	}{
		"nothing":        {func(*api.CephCluster) {}, false, false},
		"a message":      {func(c *api.CephCluster) { c.Status.Message = "x" }, false, false},
		"the spec":       {func(c *api.CephCluster) { c.Generation++ }, true, true},
		"the connection": {func(c *api.CephCluster) { c.Status.Connection = &api.Connection{} }, true, true},
		"a condition": {func(c *api.CephCluster) {
			c.Status.Conditions = []api.Condition{{Type: api.ConditionOSDsServing, Status: metav1.ConditionTrue, ObservedGeneration: 1}}
		}, true, true},
		"OSDs":             {runs(api.RoleOSD), true, true},
		"metadata servers": {runs(api.RoleMDS), false, true},
		"gateways":         {runs(api.RoleRGW), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			was := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
			is := was.DeepCopy()
			tc.change(is)
			update := event.UpdateEvent{ObjectOld: was, ObjectNew: is}
			if got := watches.Cluster(api.RoleMDS).Update(update); got != tc.mds {
				t.Errorf("for metadata servers: got %v", got)
			}
			if got := watches.Cluster(api.RoleRGW).Update(update); got != tc.rgw {
				t.Errorf("for gateways: got %v", got)
			}
		})
	}
}
