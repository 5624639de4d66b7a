package zone

import (
	"context"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterZone
	// legacyFinalizer is what Rook left on an object that was taken over.
	legacyFinalizer = "cephobjectzone.ceph.rook.io"

	workers = 2
	// recheck is how often Ceph is asked whether anything has changed.
	recheck = 30 * time.Second
	// review is how often everything is compared although nothing seems to have
	// changed.
	review = 10 * time.Minute
)

// Reconciler keeps zones.
type Reconciler struct {
	multisite.Base
	Sights Sights

	// known holds, by UID, how a zone looked when it was settled.
	known sync.Map
	// tried holds, by UID, what was last done to the pools.
	tried pools.Tried
	// seen holds, by UID, what was last seen of copying.
	seen sync.Map
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzones,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzones/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzones/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectrealms;cephobjectzonegroups;cephobjectstores;cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	beside := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephObjectZoneList{}))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephObjectZone{}, builder.WithPredicates(watches.Edited(Name))).
		Owns(&batchv1.Job{}).
		Watches(&api.CephCluster{}, beside, builder.WithPredicates(watches.Cluster(api.RoleRGW))).
		Watches(&api.CephObjectZoneGroup{}, beside).
		Watches(&api.CephObjectStore{}, beside, builder.WithPredicates(watches.Ending{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the zone what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var zone api.CephObjectZone
	if err := r.Client.Get(ctx, request.NamespacedName, &zone); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("read CephObjectZone: %w", err)
		}
		return ctrl.Result{}, nil
	}
	p := &pass{Pass: r.NewPass(&zone, zone.Status, legacyFinalizer), r: r, zone: &zone}
	p.Unsupported = api.UnsupportedObjectZoneFields(&zone.Spec)
	if !zone.DeletionTimestamp.IsZero() {
		return p.Run(ctx, 0, p.endSteps()...)
	}
	return p.Run(ctx, recheck,
		step.Named("finalizer", p.Hold),
		step.Named("cluster", p.FindCluster),
		step.Named("check", p.check),
		step.Named("name", p.FreeName),
		step.Named("zone group", p.awaitZoneGroup),
		step.Named("osds", p.AwaitOSDs),
		step.Named("connect", p.Connect),
		step.Named("look", p.look),
		step.Named("pools", p.unlessSettled(p.applyPools)),
		step.Named("setup", p.setUp),
		step.Named("sync", p.lookAtSync),
		step.Named("note", p.note))
}

// pass is one call of Reconcile.
type pass struct {
	*multisite.Pass
	r     *Reconciler
	zone  *api.CephObjectZone
	realm string

	// settled is whether nothing has changed since all steps were done.
	settled bool
	mark    mark
	pools   pools.Map
}

// unlessSettled skips a step when nothing has changed since all steps were done.
func (p *pass) unlessSettled(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.settled {
			return step.Done, nil
		}
		return do(ctx)
	}
}
