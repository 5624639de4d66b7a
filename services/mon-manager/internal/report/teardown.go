package report

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// teardown waits for what depends on the cluster and for the other services. It
// says so in DeletionIsBlocked; once that is False mon-manager.quorum lets the
// identity go and acknowledges it, and the cluster goes. No data is touched.
func (r *Reconciler) teardown(ctx context.Context, in Input) (reconcile.Result, error) {
	cluster := in.Cluster
	own := names.Finalizer(service)
	if !slices.Contains(cluster.Finalizers, own) {
		return reconcile.Result{}, nil
	}
	blockers, err := observeDependents(ctx, r.Live, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, finalizer := range cluster.Finalizers {
		if finalizer != own && finalizer != metav1.FinalizerDeleteDependents {
			blockers = append(blockers, "finalizer "+finalizer)
		}
	}
	in.Blockers = blockers
	if err := r.write(ctx, in); err != nil {
		return reconcile.Result{}, err
	}
	if len(blockers) > 0 {
		return reconcile.Result{RequeueAfter: deletionPoll}, nil
	}
	return reconcile.Result{}, r.letGo(ctx, cluster)
}

// letGo removes our finalizer once the identity was let go: by then no pass is
// left that would guard it again.
func (r *Reconciler) letGo(ctx context.Context, cluster *api.CephCluster) error {
	live := &api.CephCluster{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(cluster), live)
	if err != nil || live.UID != cluster.UID {
		return client.IgnoreNotFound(err)
	}
	c := condition.Find(live.Status.Conditions, api.ConditionMonitorsInQuorum)
	if c == nil || c.Reason != api.ReasonClusterDeleting {
		return nil // its change brings us back
	}
	r.Links.Forget(client.ObjectKeyFromObject(cluster))
	return r.applier().RemoveFinalizer(ctx, live, names.Finalizer(service))
}
