package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterHealth

const (
	concurrent  = 4
	readTimeout = 5 * time.Second
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Session(types.NamespacedName) (ceph.Client, error)
}

// Reconciler writes status.ceph of CephClusters.
type Reconciler struct {
	Client client.Client
	Links  Sessions
	Events events.EventRecorder
	Clock  clock.PassiveClock
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager; changes tells when what Ceph
// says has changed.
func (r *Reconciler) Register(mgr manager.Manager, changes <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or(watches.Asked(piece), apply.OwnStatus(Name)))).
		WatchesRawSource(source.Channel(changes, &handler.EnqueueRequestForObject{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// piece is what of a CephCluster's status brings this controller back: the
// versions of daemons change when roles are rolled.
func piece(obj client.Object) any {
	cluster, ok := obj.(*api.CephCluster)
	if !ok {
		return nil
	}
	return cluster.Status.Daemons
}

// Reconcile writes what Ceph says, if it differs from what is written.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	verdict, _, err := scope.Of(ctx, r.Client, cluster)
	if err != nil || verdict == scope.Surplus || verdict == scope.External {
		return reconcile.Result{}, err
	}
	next, again, err := r.next(ctx, cluster)
	if err != nil || next.CephStatus == nil {
		return reconcile.Result{RequeueAfter: again}, err
	}
	applier := apply.Applier{Client: r.Client, Manager: Name}
	if err := applier.Status(ctx, cluster, next); err != nil {
		return reconcile.Result{}, err
	}
	r.announce(cluster, next)
	return reconcile.Result{RequeueAfter: again}, nil
}

// next returns all that this controller owns of the status.
func (r *Reconciler) next(ctx context.Context, cluster *api.CephCluster) (api.ClusterStatus, time.Duration, error) {
	old, now := cluster.Status.CephStatus, r.Clock.Now()
	session, err := r.Links.Session(client.ObjectKeyFromObject(cluster))
	if errors.Is(err, link.ErrNotConnected) {
		return api.ClusterStatus{}, 0, nil // after a start nothing is known; a lost connection has another error
	}
	if err != nil {
		kept := api.ClusterStatus{CephStatus: Unreachable(old, "no majority of the monitors answers", now)}
		if known := condition.Find(cluster.Status.Conditions, api.ConditionSpaceAvailable); known != nil {
			kept.Conditions = []api.Condition{*known}
		}
		return kept, 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	seen, err := observe(ctx, session)
	if err != nil {
		return api.ClusterStatus{}, 0, fmt.Errorf("read health of %s: %w", cluster.Name, err)
	}
	next, again := Next(old, seen, now)
	space := Space(seen.Status.Health, cluster.Generation)
	return api.ClusterStatus{CephStatus: next, Conditions: condition.Merge(cluster.Status.Conditions, now, space)}, again, nil
}

// announce publishes one event when something begins to be full, and one for
// each worse degree.
func (r *Reconciler) announce(cluster *api.CephCluster, next api.ClusterStatus) {
	now := condition.Find(next.Conditions, api.ConditionSpaceAvailable)
	if now == nil || now.Status != metav1.ConditionFalse {
		return
	}
	if old := condition.Find(cluster.Status.Conditions, now.Type); old != nil && old.Status == now.Status && old.Reason == now.Reason {
		return
	}
	r.Events.Eventf(cluster, nil, corev1.EventTypeWarning, now.Reason, "Watch", "%s", now.Message)
}

func observe(ctx context.Context, session ceph.Client) (Seen, error) {
	status, err := session.Status(ctx)
	if err != nil {
		return Seen{}, err
	}
	if short(status.Health) {
		detail, err := session.HealthDetail(ctx)
		if err != nil {
			return Seen{}, err
		}
		status.Health = detail
	}
	versions, err := session.Versions(ctx)
	return Seen{Status: status, Versions: versions}, err
}
