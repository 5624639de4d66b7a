//go:build envtest

package setup

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

// TestAStatusThatIsNotOursAnyMoreIsWrittenAgain overwrites conditions, as a pass
// that saw an old status would leave them: each is put right by its writer.
func TestAStatusThatIsNotOursAnyMoreIsWrittenAgain(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	w.awaitReady()
	w.settle()
	for _, typ := range []string{
		api.ConditionConfigApplied, api.ConditionUsersReady, api.ConditionManagerActive, api.ConditionMonitorsInQuorum, api.ConditionSpaceAvailable,
	} {
		cluster := w.cluster()
		before := *condition.Find(cluster.Status.Conditions, typ)
		wrong := condition.New(typ, metav1.ConditionFalse, "Wrong", "", cluster.Generation)
		piece := api.ClusterStatus{Conditions: condition.Merge(nil, time.Now(), wrong)}
		if err := (apply.Applier{Client: w.client, Manager: "somebody"}).Status(w.ctx, cluster, piece); err != nil {
			t.Fatal(err)
		}
		w.await(typ+" as it was", func(c *api.CephCluster) bool {
			now := condition.Find(c.Status.Conditions, typ)
			return now != nil && now.Status == before.Status && now.Reason == before.Reason
		})
	}
}
