package zonegroup

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterZoneGroup
	// legacyFinalizer is what Rook left on an object that was taken over.
	legacyFinalizer = "cephobjectzonegroup.ceph.rook.io"

	workers = 2
)

// Reconciler keeps zone groups.
type Reconciler struct{ multisite.Base }

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzonegroups,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzonegroups/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectzonegroups/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectrealms;cephobjectzones;cephobjectstores;cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	beside := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephObjectZoneGroupList{}))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephObjectZoneGroup{}, builder.WithPredicates(watches.Edited(Name))).
		Owns(&batchv1.Job{}).
		Watches(&api.CephCluster{}, beside, builder.WithPredicates(watches.Cluster(api.RoleRGW))).
		Watches(&api.CephObjectRealm{}, beside).
		Watches(&api.CephObjectZone{}, beside, builder.WithPredicates(watches.Ending{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the zone group what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var group api.CephObjectZoneGroup
	if err := r.Client.Get(ctx, request.NamespacedName, &group); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("read CephObjectZoneGroup: %w", err)
		}
		return ctrl.Result{}, nil
	}
	p := &pass{Pass: r.NewPass(&group, group.Status, legacyFinalizer), group: &group}
	if !group.DeletionTimestamp.IsZero() {
		return p.Run(ctx, 0,
			step.Named("zones", p.awaitZones),
			step.Named("cluster", p.FindForDeletion),
			step.Named("remove", p.remove),
			step.Named("release", p.Release))
	}
	return p.Run(ctx, multisite.Recheck,
		step.Named("finalizer", p.Hold),
		step.Named("cluster", p.FindCluster),
		step.Named("name", p.FreeName),
		step.Named("realm", p.awaitRealm),
		step.Named("osds", p.AwaitOSDs),
		step.Named("setup", p.setUp))
}

// pass is one call of Reconcile.
type pass struct {
	*multisite.Pass
	group *api.CephObjectZoneGroup
}

func (p *pass) awaitRealm(ctx context.Context) (step.Outcome, error) {
	var realm api.CephObjectRealm
	outcome, err := p.Parent(ctx, "CephObjectRealm", p.group.Spec.Realm, &realm)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.AwaitReady("CephObjectRealm", realm.Name, realm.Status), nil
}

func (p *pass) setUp(ctx context.Context) (step.Outcome, error) { return p.SetUp(ctx, Wanted(p.group)) }

func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	wanted := Wanted(p.group)
	wanted.Remove = rgwadmin.RemoveZoneGroup
	return p.TakeDown(ctx, wanted)
}

// Wanted words the spec for Ceph.
func Wanted(group *api.CephObjectZoneGroup) rgwadmin.Wanted {
	return rgwadmin.Wanted{
		Realm:     rgwadmin.Realm{Name: group.Spec.Realm, Required: true},
		ZoneGroup: &rgwadmin.ZoneGroup{Name: group.Name},
	}
}

// awaitZones waits for the objects that need this one.
func (p *pass) awaitZones(ctx context.Context) (step.Outcome, error) {
	var list api.CephObjectZoneList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.group.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectZones: %w", err)
	}
	var dependents []string
	for i := range list.Items {
		if list.Items[i].Spec.ZoneGroup == p.group.Name {
			dependents = append(dependents, "CephObjectZone "+list.Items[i].Name)
		}
	}
	return p.Blocked(dependents), nil
}
