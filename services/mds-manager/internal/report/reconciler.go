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

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/serving"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

// Name is the controller and the field manager.
const Name = api.WriterFilesystems

// Reconciler reports on CephClusters.
type Reconciler struct{ serving.Reporter }

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems;cephfilesystemsubvolumegroups,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	wake := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{}))
	changed := predicate.Or[client.Object](watches.Cluster(api.RoleMDS), watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(changed)).
		Watches(&api.CephFilesystem{}, wake).
		Watches(&api.CephFilesystemSubVolumeGroup{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&appsv1.Deployment{}, wake).
		WithOptions(queue.Workers(1)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), &r.Reporter))
}

// Daemons are the metadata servers of file systems that reader knows.
func Daemons(reader client.Reader) serving.Daemons {
	return serving.Daemons{
		Service: daemons.Service, Role: api.RoleMDS, App: daemons.App,
		Serving: func(ctx context.Context, cluster *api.CephCluster) (api.Condition, error) {
			var list api.CephFilesystemList
			if err := reader.List(ctx, &list, client.InNamespace(cluster.Namespace)); err != nil {
				return api.Condition{}, fmt.Errorf("list CephFilesystems: %w", err)
			}
			return Serving(list.Items, cluster.Generation), nil
		},
		Dependents: func() []client.ObjectList {
			return []client.ObjectList{&api.CephFilesystemList{}, &api.CephFilesystemSubVolumeGroupList{}}
		},
		Image:   CommonImage,
		Version: version,
	}
}

// version is what all our metadata servers say that they run. What others run is not
// ours to report.
func version(ctx context.Context, conn ceph.Client, list []appsv1.Deployment) (string, error) {
	metadata, err := conn.MDSMetadata(ctx)
	if err != nil {
		return "", fmt.Errorf("read metadata of metadata servers: %w", err)
	}
	said := map[string]string{}
	for _, one := range metadata {
		said[one.Name] = ceph.Release(one.Short)
	}
	common := said[list[0].Labels[names.LabelDaemonID]]
	for _, d := range list {
		if said[d.Labels[names.LabelDaemonID]] != common {
			return "", nil
		}
	}
	return common, nil
}
