package realm

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterRealm
	// legacyFinalizer is what Rook left on an object that was taken over.
	legacyFinalizer = "cephobjectrealm.ceph.rook.io"

	workers = 2
)

// Reconciler keeps realms.
type Reconciler struct{ multisite.Base }

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectrealms,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectrealms/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectrealms/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzonegroups;cephobjectstores;cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	beside := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephObjectRealmList{}))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephObjectRealm{}, builder.WithPredicates(watches.Edited(Name))).
		Owns(&batchv1.Job{}).
		Owns(&corev1.Secret{}).
		Watches(&api.CephCluster{}, beside, builder.WithPredicates(watches.Cluster(api.RoleRGW))).
		Watches(&api.CephObjectZoneGroup{}, beside, builder.WithPredicates(watches.Ending{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the realm what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var realm api.CephObjectRealm
	if err := r.Client.Get(ctx, request.NamespacedName, &realm); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("read CephObjectRealm: %w", err)
		}
		return ctrl.Result{}, nil
	}
	p := &pass{Pass: r.NewPass(&realm, realm.Status, legacyFinalizer), realm: &realm}
	if !realm.DeletionTimestamp.IsZero() {
		return p.Run(ctx, 0,
			step.Named("zone groups", p.awaitZoneGroups),
			step.Named("cluster", p.FindForDeletion),
			step.Named("remove", p.remove),
			step.Named("pool", p.removeRoot),
			step.Named("release", p.Release))
	}
	return p.Run(ctx, multisite.Recheck,
		step.Named("finalizer", p.Hold),
		step.Named("cluster", p.FindCluster),
		step.Named("name", p.FreeName),
		step.Named("keys", p.applyKeys),
		step.Named("osds", p.AwaitOSDs),
		step.Named("pool", p.MakeRoot),
		step.Named("setup", p.setUp))
}

// pass is one call of Reconcile.
type pass struct {
	*multisite.Pass
	realm *api.CephObjectRealm
}

func (p *pass) setUp(ctx context.Context) (step.Outcome, error) { return p.SetUp(ctx, Wanted(p.realm)) }

func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	wanted := Wanted(p.realm)
	// Without them the Job waits for no Secret, which may be gone already.
	wanted.Remove, wanted.Realm.PullKeys = rgwadmin.RemoveRealm, nil
	return p.TakeDown(ctx, wanted)
}

// removeRoot removes the pool that says which realms there are with the last of them,
// unless there are other pools of object stores.
func (p *pass) removeRoot(ctx context.Context) (step.Outcome, error) {
	if p.Cluster == nil || p.Before.Setup == nil {
		return step.Done, nil
	}
	if outcome, err := p.Connect(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if outcome, err := p.Confirm(ctx, &api.CephObjectRealm{}); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	var realms api.CephObjectRealmList
	if err := p.Live.List(ctx, &realms, client.InNamespace(p.realm.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectRealms: %w", err)
	}
	there, err := pools.Read(ctx, p.Ceph)
	if err != nil {
		return step.None, err
	}
	return step.Done, zonepools.Remove(ctx, p.Ceph, there, zonepools.RootOnly(), len(realms.Items) > 1)
}

// Wanted words the spec for Ceph.
func Wanted(realm *api.CephObjectRealm) rgwadmin.Wanted {
	wanted := rgwadmin.Realm{Name: realm.Name, Default: realm.Spec.DefaultRealm, Pull: realm.Spec.PullEndpoint()}
	if wanted.Pull != "" {
		wanted.PullKeys = multisite.RealmKeys(realm.Name)
	}
	return rgwadmin.Wanted{Realm: wanted}
}

// awaitZoneGroups waits for the objects that need this one.
func (p *pass) awaitZoneGroups(ctx context.Context) (step.Outcome, error) {
	var list api.CephObjectZoneGroupList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.realm.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectZoneGroups: %w", err)
	}
	var dependents []string
	for i := range list.Items {
		if list.Items[i].Spec.Realm == p.realm.Name {
			dependents = append(dependents, "CephObjectZoneGroup "+list.Items[i].Name)
		}
	}
	return p.Blocked(dependents), nil
}
