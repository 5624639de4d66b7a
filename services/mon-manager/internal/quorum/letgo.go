package quorum

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/identity"
)

// mayGo tells whether the cluster is being deleted and nothing holds it back
// any more. Until then the monitors are cared for as ever.
func mayGo(cluster *api.CephCluster) bool {
	blocked := condition.Find(cluster.Status.Conditions, api.ConditionDeletionIsBlocked)
	return cluster.DeletionTimestamp != nil && blocked != nil && blocked.Status == metav1.ConditionFalse
}

// letGo takes the guard off the identity and says so. From then on no pass of
// this controller writes anything for the cluster: what it owns goes with it,
// but for the identity of data that nobody allowed to destroy.
func (p *pass) letGo(ctx context.Context) error {
	kept, err := identity.Release(ctx, p.Live, p.apply, p.cluster)
	if err != nil {
		return err
	}
	if kept {
		p.event(left(p.cluster))
	}
	found := condition.New(api.ConditionMonitorsInQuorum, metav1.ConditionFalse, api.ReasonClusterDeleting,
		"The CephCluster is being deleted", p.cluster.Generation)
	merged := condition.Merge(p.cluster.Status.Conditions, p.Clock.Now(), found)
	return p.send(ctx, &merged[0])
}
