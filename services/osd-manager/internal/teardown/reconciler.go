package teardown

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/session"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller and the field manager.
const Name = "osd-manager.teardown"

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,namespace=cluster,resources=deployments,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=batch,namespace=cluster,resources=jobs,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups="",namespace=cluster,resources=pods,verbs=get;list;watch

// Reconciler takes the OSDs of one cluster down once it is deleted.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Sessions *session.Pool
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(ofPod)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofPod returns the cluster whose pod it is.
func ofPod(_ context.Context, pod client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: pod.GetLabels()[names.LabelPartOf]}}}
}

// Reconcile holds the finalizer, and lets it go when nothing of the OSDs runs.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	finalizer := names.Finalizer(session.Service)
	if cluster.DeletionTimestamp.IsZero() {
		if cluster.Spec.External.Enable || controllerutil.ContainsFinalizer(cluster, finalizer) {
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, r.Apply.Finalizer(ctx, cluster, finalizer)
	}
	if !controllerutil.ContainsFinalizer(cluster, finalizer) {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster}
	report := step.Run(ctx,
		step.Named("daemons", p.deleteDaemons),
		step.Named("pods", p.awaitPods),
		step.Named("records", p.deleteRecords),
		step.Named("release", p.release),
	)
	if report.Err == nil && !report.IsDone() {
		ctrl.LoggerFrom(ctx).Info("deletion waits", "reason", report.Reason, "message", report.Message)
	}
	return report.Result(), report.Err
}

type pass struct {
	*Reconciler
	cluster *api.CephCluster
}

// deleteDaemons deletes the Deployments and Jobs of the cluster's OSDs.
func (p *pass) deleteDaemons(ctx context.Context) (step.Outcome, error) {
	own := []client.ListOption{client.InNamespace(p.cluster.Namespace), client.MatchingLabels{names.LabelPartOf: p.cluster.Name}}
	return step.Done, errors.Join(p.deleteAll(ctx, &appsv1.DeploymentList{}, own...), p.deleteAll(ctx, &batchv1.JobList{}, own...))
}

func (p *pass) deleteAll(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if err := p.Client.List(ctx, list, options...); err != nil {
		return fmt.Errorf("list %T: %w", list, err)
	}
	var problems problem.List
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if obj, ok := item.(client.Object); ok {
			problems.Add(p.Apply.Delete(ctx, obj))
		}
		return nil
	})
	return errors.Join(err, problems.Err())
}

// awaitPods waits until no process of ours can have a disk open.
func (p *pass) awaitPods(ctx context.Context) (step.Outcome, error) {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(p.cluster.Namespace), client.MatchingLabels{names.LabelPartOf: p.cluster.Name})
	if err != nil {
		return step.None, fmt.Errorf("list pods: %w", err)
	}
	var running []string
	for _, item := range pods.Items {
		app := item.Labels[names.LabelApp]
		ended := item.Status.Phase == corev1.PodSucceeded || item.Status.Phase == corev1.PodFailed
		if (app == pod.AppOSD || app == pod.AppPrepare) && !ended {
			running = append(running, item.Name)
		}
	}
	if len(running) > 0 {
		return step.Wait(api.ReasonClusterDeleting, "Waiting for pods "+problem.Names(running)), nil
	}
	return step.Done, nil
}

// deleteRecords deletes the CephOSDs. The disks remember the OSDs.
func (p *pass) deleteRecords(ctx context.Context) (step.Outcome, error) {
	var osds inventory.CephOSDList
	if err := p.Client.List(ctx, &osds, client.InNamespace(p.cluster.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephOSDs: %w", err)
	}
	var problems problem.List
	for _, osd := range fleet.Of(p.cluster, osds.Items) {
		problems.Add(p.Apply.Delete(ctx, &osd))
	}
	return step.Done, problems.Err()
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.Sessions.Forget(client.ObjectKeyFromObject(p.cluster))
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.cluster, names.Finalizer(session.Service))
}
