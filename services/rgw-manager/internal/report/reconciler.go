package report

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/serving"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

// Name is the controller and the field manager.
const Name = api.WriterObjectStores

// Reconciler reports on CephClusters.
type Reconciler struct{ serving.Reporter }

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores;cephobjectstoreusers;cephobjectrealms;cephobjectzonegroups;cephobjectzones,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	wake := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{}))
	changed := predicate.Or[client.Object](watches.Cluster(api.RoleRGW), watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(changed)).
		Watches(&api.CephObjectStore{}, wake).
		Watches(&api.CephObjectStoreUser{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectRealm{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectZoneGroup{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&api.CephObjectZone{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&appsv1.Deployment{}, wake).
		WithOptions(queue.Workers(1)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), &r.Reporter))
}

// Daemons are the gateways of object stores that reader knows.
func Daemons(reader client.Reader) serving.Daemons {
	return serving.Daemons{
		Service: gateway.Service, Role: api.RoleRGW, App: gateway.App,
		Serving: func(ctx context.Context, cluster *api.CephCluster) (api.Condition, error) {
			var list api.CephObjectStoreList
			if err := reader.List(ctx, &list, client.InNamespace(cluster.Namespace)); err != nil {
				return api.Condition{}, fmt.Errorf("list CephObjectStores: %w", err)
			}
			return Serving(list.Items, cluster.Generation), nil
		},
		Dependents: dependents,
		Image:      CommonImage,
		// Gateways that others run count, too, since the monitors tell only numbers: with
		// another version among them none is told.
		Version: func(ctx context.Context, conn ceph.Client, _ []appsv1.Deployment) (string, error) {
			versions, err := conn.Versions(ctx)
			if err != nil {
				return "", fmt.Errorf("read versions of gateways: %w", err)
			}
			return CommonVersion(versions), nil
		},
	}
}

// dependents are the kinds whose objects need the cluster.
func dependents() []client.ObjectList {
	return []client.ObjectList{
		&api.CephObjectStoreList{}, &api.CephObjectStoreUserList{}, &api.CephObjectZoneList{},
		&api.CephObjectZoneGroupList{}, &api.CephObjectRealmList{},
	}
}
