package report

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/watches"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
)

// Name is the controller and the field manager.
const Name = api.WriterObjectStores

// versionRetry is how soon to ask again what a new image contains, each time
// twice as late as before, and versionRecheck the latest.
const (
	versionRetry   = 2 * time.Second
	versionRecheck = 2 * time.Minute
)

// Reconciler reports on CephClusters.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Sessions *session.Pool
	Clock    clock.PassiveClock

	// waits holds, by UID of the cluster, how long was waited for a version last.
	waits sync.Map
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores;cephobjectstoreusers;cephobjectrealms;cephobjectzonegroups;cephobjectzones,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	wake := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{}))
	changed := predicate.Or[client.Object](watches.Cluster{}, watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(changed)).
		Watches(&api.CephObjectStore{}, wake).
		Watches(&api.CephObjectStoreUser{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectRealm{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectZoneGroup{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectZone{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&appsv1.Deployment{}, wake).
		WithOptions(queue.Workers(1)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile publishes whether the object stores are served.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	finalizer := names.Finalizer(gateway.Service)
	other, err := owner.Other(ctx, r.Client, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	if other != "" {
		return r.release(ctx, cluster)
	}
	if !cluster.DeletionTimestamp.IsZero() {
		return r.letGo(ctx, cluster)
	}
	if cluster.Spec.External.Enable {
		return reconcile.Result{}, nil
	}
	if !controllerutil.ContainsFinalizer(cluster, finalizer) {
		err := r.Apply.Finalizer(ctx, cluster, finalizer)
		if apierrors.IsConflict(err) {
			return reconcile.Result{RequeueAfter: time.Second}, nil
		}
		if err != nil {
			return reconcile.Result{}, err
		}
	}
	var stores api.CephObjectStoreList
	if err := r.Client.List(ctx, &stores, client.InNamespace(cluster.Namespace)); err != nil {
		return reconcile.Result{}, fmt.Errorf("list CephObjectStores: %w", err)
	}
	run, result, err := r.run(ctx, cluster)
	piece := api.ClusterStatus{
		Conditions: condition.Merge(cluster.Status.Conditions, r.Clock.Now(), Serving(stores.Items, cluster.Generation)),
	}
	if run != nil && *run != (api.DaemonStatus{}) { // nothing to say is no object
		piece.Daemons = map[string]api.DaemonStatus{api.RoleRGW: *run}
	}
	return result, errors.Join(err, r.Apply.Status(ctx, cluster, piece))
}

// run is what all gateways run; nil if there are none. Ceph is asked only
// when the image is not the one that was reported before.
func (r *Reconciler) run(ctx context.Context, cluster *api.CephCluster) (*api.DaemonStatus, reconcile.Result, error) {
	var list appsv1.DeploymentList
	err := r.Client.List(ctx, &list, client.InNamespace(cluster.Namespace), client.MatchingLabels{names.LabelApp: gateway.App})
	if err != nil {
		return nil, reconcile.Result{}, fmt.Errorf("list Deployments: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, reconcile.Result{}, nil
	}
	before, image := cluster.Status.Daemons[api.RoleRGW], CommonImage(list.Items)
	switch {
	case image == "":
		return &api.DaemonStatus{}, reconcile.Result{}, nil
	case image == before.Image && before.Version != "":
		return &before, reconcile.Result{}, nil
	}
	version, err := r.version(ctx, cluster)
	if err == nil && version == "" {
		return &api.DaemonStatus{Image: image}, reconcile.Result{RequeueAfter: r.wait(cluster)}, nil
	}
	r.waits.Delete(cluster.UID)
	return &api.DaemonStatus{Image: image, Version: version}, reconcile.Result{}, err
}

// wait is how long to wait for a version that is not known yet.
func (r *Reconciler) wait(cluster *api.CephCluster) time.Duration {
	next := versionRetry
	if last, ok := r.waits.Load(cluster.UID); ok {
		next = min(2*last.(time.Duration), versionRecheck)
	}
	r.waits.Store(cluster.UID, next)
	return next
}

// version is what the monitors say that all gateways run; "" while they differ or
// cannot be asked. Gateways that others run count, too, since the monitors tell
// only numbers: with another version among them none is told.
func (r *Reconciler) version(ctx context.Context, cluster *api.CephCluster) (string, error) {
	conn, outcome, err := r.Sessions.Client(ctx, cluster)
	if err != nil || !outcome.IsDone() {
		return "", err
	}
	versions, err := conn.Versions(ctx)
	if err != nil {
		return "", fmt.Errorf("read versions of gateways: %w", err)
	}
	return CommonVersion(versions), nil
}

// letGo removes our finalizer once no object of ours is left.
func (r *Reconciler) letGo(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	for _, list := range dependents() {
		if err := r.Client.List(ctx, list, client.InNamespace(cluster.Namespace)); err != nil {
			return reconcile.Result{}, fmt.Errorf("list dependents: %w", err)
		}
		if meta.LenList(list) > 0 {
			return reconcile.Result{}, nil // their end brings us back
		}
	}
	r.waits.Delete(cluster.UID)
	r.Sessions.Forget(client.ObjectKeyFromObject(cluster))
	return r.release(ctx, cluster)
}

// dependents are the kinds whose objects need the cluster.
func dependents() []client.ObjectList {
	return []client.ObjectList{
		&api.CephObjectStoreList{}, &api.CephObjectStoreUserList{}, &api.CephObjectZoneList{},
		&api.CephObjectZoneGroupList{}, &api.CephObjectRealmList{},
	}
}

// release removes our finalizer.
func (r *Reconciler) release(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	err := r.Apply.RemoveFinalizer(ctx, cluster, names.Finalizer(gateway.Service))
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil
	}
	return reconcile.Result{}, err
}
