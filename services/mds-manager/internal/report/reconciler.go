package report

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/watches"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
)

// Name is the controller and the field manager.
const Name = api.WriterFilesystems

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
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems;cephfilesystemsubvolumegroups,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	wake := handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{}))
	changed := predicate.Or[client.Object](watches.Cluster{}, watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(changed)).
		Watches(&api.CephFilesystem{}, wake).
		Watches(&api.CephFilesystemSubVolumeGroup{}, wake, builder.WithPredicates(watches.Ending{})).
		Watches(&appsv1.Deployment{}, wake).
		WithOptions(queue.Workers(1)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile publishes whether the file systems are served.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	finalizer := names.Finalizer(daemons.Service)
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
	var filesystems api.CephFilesystemList
	if err := r.Client.List(ctx, &filesystems, client.InNamespace(cluster.Namespace)); err != nil {
		return reconcile.Result{}, fmt.Errorf("list CephFilesystems: %w", err)
	}
	run, result, err := r.run(ctx, cluster)
	piece := api.ClusterStatus{
		Conditions: condition.Merge(cluster.Status.Conditions, r.Clock.Now(), Serving(filesystems.Items, cluster.Generation)),
	}
	if run != nil && *run != (api.DaemonStatus{}) { // nothing to say is no object
		piece.Daemons = map[string]api.DaemonStatus{api.RoleMDS: *run}
	}
	return result, errors.Join(err, r.Apply.Status(ctx, cluster, piece))
}

// run is what all metadata servers run; nil if there are none. Ceph is asked only
// when the image is not the one that was reported before.
func (r *Reconciler) run(ctx context.Context, cluster *api.CephCluster) (*api.DaemonStatus, reconcile.Result, error) {
	var list appsv1.DeploymentList
	err := r.Client.List(ctx, &list, client.InNamespace(cluster.Namespace), client.MatchingLabels{names.LabelApp: daemons.App})
	if err != nil {
		return nil, reconcile.Result{}, fmt.Errorf("list Deployments: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, reconcile.Result{}, nil
	}
	before, image := cluster.Status.Daemons[api.RoleMDS], CommonImage(list.Items)
	switch {
	case image == "":
		return &api.DaemonStatus{}, reconcile.Result{}, nil
	case image == before.Image && before.Version != "":
		return &before, reconcile.Result{}, nil
	}
	version, err := r.version(ctx, cluster, list.Items)
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

// version is what all our metadata servers say that they run; "" while they
// differ or cannot be asked. What others run is not ours to report.
func (r *Reconciler) version(ctx context.Context, cluster *api.CephCluster, list []appsv1.Deployment) (string, error) {
	conn, outcome, err := r.Sessions.Client(ctx, cluster)
	if err != nil || !outcome.IsDone() {
		return "", err
	}
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

// letGo removes our finalizer once no object of ours is left.
func (r *Reconciler) letGo(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	var filesystems api.CephFilesystemList
	var groups api.CephFilesystemSubVolumeGroupList
	inNamespace := client.InNamespace(cluster.Namespace)
	if err := errors.Join(r.Client.List(ctx, &filesystems, inNamespace), r.Client.List(ctx, &groups, inNamespace)); err != nil {
		return reconcile.Result{}, fmt.Errorf("list dependents: %w", err)
	}
	if len(filesystems.Items)+len(groups.Items) > 0 {
		return reconcile.Result{}, nil // their end brings us back
	}
	r.waits.Delete(cluster.UID)
	r.Sessions.Forget(client.ObjectKeyFromObject(cluster))
	return r.release(ctx, cluster)
}

// release removes our finalizer.
func (r *Reconciler) release(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	err := r.Apply.RemoveFinalizer(ctx, cluster, names.Finalizer(daemons.Service))
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil
	}
	return reconcile.Result{}, err
}
