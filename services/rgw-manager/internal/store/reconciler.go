package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterObjectStore
	// legacyFinalizer is what Rook left on a CephObjectStore that was taken over.
	legacyFinalizer = "cephobjectstore.ceph.rook.io"

	workers = 4
	// recheck is how often Ceph is asked whether anything has changed.
	recheck = 30 * time.Second
	// review is how often everything is compared although nothing seems to have
	// changed, and a gateway is asked.
	review = 10 * time.Minute
	// refusedRetry is how often is tried again what only a person can mend.
	refusedRetry = 30 * time.Second
)

// Finalizer keeps a CephObjectStore until its store is gone.
func Finalizer() string { return names.Finalizer(gateway.Service) }

// Reconciler keeps object stores.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache: Secrets of other owners, and whatever is about to be
	// removed.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Setup    Setup
	Gateways Gateways
	Clock    clock.PassiveClock
	// Image is our own, which brings the cephlet into pods.
	Image string

	// known holds, by UID, how a store looked when it was settled.
	known sync.Map
	// tried holds, by UID, what was last done to the pools.
	tried    pools.Tried
	patience step.Patience
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstoreusers;cephobjectrealms;cephobjectzonegroups;cephobjectzones,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets;configmaps;services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=batch,resources=jobs,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=discovery.k8s.io,resources=endpointslices/restricted,verbs=create;update
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, watches.Deleting{}, apply.OwnStatus(Name))
	beside := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephObjectStoreList{}))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephObjectStore{}, builder.WithPredicates(changed)).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Secret{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&batchv1.Job{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&api.CephCluster{}, beside, builder.WithPredicates(watches.Cluster(api.RoleRGW))).
		Watches(&api.CephObjectZone{}, beside).
		Watches(&api.CephObjectStoreUser{}, beside, builder.WithPredicates(watches.Ending{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the object store what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var store api.CephObjectStore
	err := r.Client.Get(ctx, request.NamespacedName, &store)
	if apierrors.IsNotFound(err) {
		r.patience.Forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephObjectStore: %w", err)
	}
	p := &pass{Reconciler: r, store: &store}
	if store.Status != nil {
		p.before = *store.Status
	}
	steps := p.steps()
	switch {
	case !store.DeletionTimestamp.IsZero():
		steps = p.endSteps()
	case store.Spec.Gateway.External():
		steps = p.externalSteps()
	}
	report := step.Run(ctx, steps...)
	result := r.patience.Result(request.NamespacedName, report, r.Clock.Now())
	switch {
	case report.IsStalled():
		result.RequeueAfter = cmp.Or(report.After, refusedRetry) // what is in the way may go without an edit
	case report.IsDone() && store.DeletionTimestamp.IsZero():
		result.RequeueAfter = recheck
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

func (p *pass) steps() []step.Step {
	return []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("cluster", p.findCluster),
		step.Named("check", p.check),
		step.Named("site", p.findSite),
		step.Named("secrets", p.readSecrets),
		step.Named("connect", p.connect),
		step.Named("look", p.look),
		step.Named("observe", p.unlessSettled(p.observe)),
		step.Named("pools", p.unlessSettled(p.applyPools)),
		step.Named("administrator", p.applyAdminOps),
		step.Named("setup", p.applySetup),
		step.Named("options", p.unlessSettled(p.applyOptions)),
		step.Named("key", p.unlessSettled(p.applyKey)),
		step.Named("gateways", p.applyGateways),
		step.Named("serve", p.awaitGateways),
		step.Named("answer", p.unlessSettled(p.awaitAnswer)),
	}
}

// externalSteps are those of a store whose gateways run elsewhere.
func (p *pass) externalSteps() []step.Step {
	return []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("cluster", p.findAnyCluster),
		step.Named("service", p.applyExternal),
		step.Named("answer", p.awaitExternal),
	}
}

// unlessSettled skips a step when nothing has changed since all steps were done.
func (p *pass) unlessSettled(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.settled != nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	store   *api.CephObjectStore
	before  api.CephObjectStoreStatus
	cluster *api.CephCluster
	client  ceph.Client
	site    gateway.Site
	// zone is the object of the zone that the store serves; nil for its own.
	zone *api.CephObjectZone

	// keys changes with the keys of the administrator.
	keys string

	// certificate and bundle are what pods mount, secretOptions the values of options
	// that Secrets hold.
	certificate, bundle gateway.Certificate
	secretOptions       map[string]string

	deployment *appsv1.Deployment
	// settled is what is known when nothing has changed; nil otherwise.
	settled *view
	mark    mark

	pools    pools.Map
	options  []ceph.ConfigOption
	drift    []string
	setup    *api.ObjectSetupStatus
	blockers []string
	// emptied is whether no bucket is left, as far as can be told.
	emptied bool
}
