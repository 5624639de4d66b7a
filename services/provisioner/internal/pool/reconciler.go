package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// Name of the controller.
	Name = api.WriterPool
	// legacyFinalizer is what Rook left on a CephBlockPool that was taken over.
	legacyFinalizer = "cephblockpool.ceph.rook.io"

	// Mons gather changes for up to a second before they decide on them, so many
	// pools at once are what makes many pools quick.
	workers = 256
	// recheck is how often a settled pool is compared with Ceph.
	recheck = 10 * time.Minute
	// deletionRetry is how often a pool is looked at that is kept by its images.
	deletionRetry = 10 * time.Second
)

// Finalizer keeps a CephBlockPool until its pool is gone.
func Finalizer() string { return names.Finalizer("provisioner") }

// Sessions connects to clusters as the provisioner.
type Sessions interface {
	Session(ctx context.Context, cluster *api.CephCluster) (storage.Cluster, error)
}

// Reconciler keeps pools.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server before a pool is deleted.
	Live     client.Reader
	Sessions Sessions
	Maps     *osdmap.Maps
	Clock    clock.PassiveClock
	Events   events.EventRecorder

	// known is what settled pools looked like, done what was carried out for the
	// others since they were settled; both by UID.
	known, done sync.Map
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephblockpools,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephblockpools/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephblockpools/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,resourceNames=rook-ceph-provisioner-keyring,verbs=get
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to a manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephBlockPool{}, builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, deleting{}, apply.OwnStatus(Name)))).
		Watches(&api.CephCluster{}, handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephBlockPoolList{})), builder.WithPredicates(awaited{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// deleting passes the moment when deletion is asked for.
type deleting struct{ predicate.Funcs }

// Update compares deletion times.
func (deleting) Update(e event.UpdateEvent) bool {
	return e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
}

// awaited passes changes of a cluster that pools wait for.
type awaited struct{ predicate.Funcs }

// Update compares the awaited conditions.
func (awaited) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*api.CephCluster)
	after, known := e.ObjectNew.(*api.CephCluster)
	if !ok || !known {
		return true
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		if condition.Met(before, typ) != condition.Met(after, typ) {
			return true
		}
	}
	return (before.Status.Connection == nil) != (after.Status.Connection == nil)
}

// Reconcile makes the pool what its spec says, or deletes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var pool api.CephBlockPool
	err := r.Client.Get(ctx, request.NamespacedName, &pool)
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephBlockPool: %w", err)
	}
	before := pool.Status
	if before == nil {
		before = &api.CephBlockPoolStatus{}
	}
	p := &pass{Reconciler: r, pool: &pool, before: before, apply: apply.Applier{Client: r.Client, Manager: Name}}
	steps := []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("cluster", p.findCluster),
		step.Named("connect", p.connect),
		step.Named("observe", p.read),
		step.Named("plan", p.decide),
		step.Named("apply", p.carryOut),
	}
	if !pool.DeletionTimestamp.IsZero() {
		steps = []step.Step{
			step.Named("cluster", p.findClusterForDeletion),
			step.Named("connect", p.connectForDeletion),
			step.Named("images", p.empty),
			step.Named("delete", p.remove),
			step.Named("release", p.release),
		}
	}
	report := step.Run(ctx, steps...)
	result := report.Result()
	if report.IsDone() && pool.DeletionTimestamp.IsZero() {
		result.RequeueAfter = recheck
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	apply     apply.Applier
	pool      *api.CephBlockPool
	before    *api.CephBlockPoolStatus
	cluster   *api.CephCluster
	session   storage.Cluster
	client    ceph.Client
	seen      pools.Observed
	look      settled
	unchanged bool
	plan      pools.Plan
	blockers  []string
}
