package users

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
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
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterUsers

const (
	concurrent  = 4
	readTimeout = 15 * time.Second
	// review is how often the capabilities are compared although nothing told
	// of a change: somebody may have changed them in Ceph.
	review = 10 * time.Minute
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Session(types.NamespacedName) (ceph.Client, error)
}

// Reconciler keeps the cephx users of CephClusters.
type Reconciler struct {
	Client client.Client
	Links  Sessions
	Clock  clock.PassiveClock
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager, changes <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or(watches.Asked(piece), apply.OwnStatus(Name)))).
		Owns(&corev1.Secret{}).
		WatchesRawSource(source.Channel(changes, &handler.EnqueueRequestForObject{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

func piece(obj client.Object) any {
	cluster, ok := obj.(*api.CephCluster)
	if !ok {
		return nil
	}
	return cluster.Status.Connection
}

// Reconcile makes the users of one cluster and writes their Secrets.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	verdict, _, err := scope.Of(ctx, r.Client, cluster)
	if err != nil || verdict != scope.Served || cluster.DeletionTimestamp != nil {
		return reconcile.Result{}, err
	}
	applier := apply.Applier{Client: r.Client, Manager: Name}
	if _, err := r.Links.Session(client.ObjectKeyFromObject(cluster)); err != nil && condition.Find(cluster.Status.Conditions, api.ConditionUsersReady) != nil {
		return reconcile.Result{}, nil // what was written stands
	}
	report := step.Run(ctx, step.Named("users", func(ctx context.Context) (step.Outcome, error) {
		return r.applyUsers(ctx, applier, cluster)
	}))
	found := condition.From(api.ConditionUsersReady, report, cluster.Generation)
	status := api.ClusterStatus{Conditions: condition.Merge(cluster.Status.Conditions, r.Clock.Now(), found)}
	result := report.Result()
	if report.IsDone() {
		result.RequeueAfter = review
	}
	return result, errors.Join(report.Err, applier.Status(ctx, cluster, status))
}

func (r *Reconciler) applyUsers(ctx context.Context, applier apply.Applier, cluster *api.CephCluster) (step.Outcome, error) {
	session, err := r.Links.Session(client.ObjectKeyFromObject(cluster))
	if err != nil {
		return step.Wait(api.ReasonWaiting, "Waiting for monitors: nobody answers yet"), nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	known, err := session.AuthList(ctx)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Wait(api.ReasonWaiting, "Waiting for monitors: they do not answer"), nil
	}
	if err != nil {
		return step.None, err
	}
	for _, want := range Wanted(cluster) {
		key, err := user(ctx, session, want.Identity, known)
		if err != nil {
			return step.None, err
		}
		if want.Entity == keyring.MonManager().Entity {
			continue // its Secret is mon-manager.quorum's: the connection depends on it
		}
		if err := applier.Set(ctx, cluster, want.object(cluster.Namespace, key)); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
}

func user(ctx context.Context, session ceph.Client, identity keyring.Identity, known []ceph.AuthUser) (keyring.Key, error) {
	change, existing := Decide(identity, known)
	switch change {
	case Create:
		made, err := session.AuthGetOrCreate(ctx, identity.Entity, identity.Caps)
		return made.Key(), err
	case Recap:
		return existing.Key(), session.AuthCaps(ctx, identity.Entity, identity.Caps)
	case Fine:
	}
	return existing.Key(), nil
}
