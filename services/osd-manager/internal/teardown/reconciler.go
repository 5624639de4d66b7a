package teardown

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller and the field manager.
const Name = api.WriterOSDTeardown

// lastService lets go of a deleted cluster after us.
const lastService = "mon-manager"

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,namespace=cluster,resources=deployments,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=batch,namespace=cluster,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=cluster,resources=pods,verbs=get;list;watch

// Reconciler takes the OSDs of one cluster down once it is deleted.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock
	// Image is our own: it wipes disks.
	Image string
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}).
		Owns(&batchv1.Job{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(ofPod)).
		Watches(&inventory.CephDisk{}, handler.EnqueueRequestsFromMapFunc(r.ofDisk)).
		WithOptions(queue.Workers(4)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofPod returns the cluster whose pod it is.
func ofPod(_ context.Context, pod client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: pod.GetLabels()[names.LabelPartOf]}}}
}

// ofDisk returns the clusters in deletion, which may wait for the disk.
func (r *Reconciler) ofDisk(ctx context.Context, _ client.Object) []reconcile.Request {
	var clusters api.CephClusterList
	if err := r.Client.List(ctx, &clusters); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list CephClusters")
		return nil
	}
	var found []reconcile.Request
	for i := range clusters.Items {
		if !clusters.Items[i].DeletionTimestamp.IsZero() {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&clusters.Items[i])})
		}
	}
	return found
}

// Reconcile holds the finalizer, and lets it go when nothing of the OSDs runs.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	finalizer := names.Finalizer(fleet.Service)
	older, err := owner.Other(ctx, r.Client, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	if older != "" {
		return retryConflict(r.Apply.RemoveFinalizer(ctx, cluster, finalizer))
	}
	if cluster.DeletionTimestamp.IsZero() {
		if cluster.Spec.External.Enable || controllerutil.ContainsFinalizer(cluster, finalizer) {
			return reconcile.Result{}, nil
		}
		return retryConflict(r.Apply.Finalizer(ctx, cluster, finalizer))
	}
	if !controllerutil.ContainsFinalizer(cluster, finalizer) {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster}
	report := step.Run(ctx,
		step.Named("users", p.awaitUsers),
		step.Named("daemons", p.deleteDaemons),
		step.Named("pods", p.awaitPods),
		step.Named("wipe", p.wipeDisks),
		step.Named("records", p.deleteRecords),
	)
	if !report.IsDone() {
		return report.Result(), errors.Join(report.Err, p.writeStatus(ctx, report))
	}
	r.Sessions.Forget(client.ObjectKeyFromObject(cluster))
	return retryConflict(r.Apply.RemoveFinalizer(ctx, cluster, finalizer))
}

// retryConflict tries again soon when somebody else wrote at the same time,
// which is nobody's mistake.
func retryConflict(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil
	}
	return reconcile.Result{}, err
}

// writeStatus says what the removal waits for.
func (p *pass) writeStatus(ctx context.Context, report step.Report) error {
	now := condition.From(api.ConditionOSDsRemoved, report, p.cluster.Generation)
	changed := condition.Changed(p.cluster.Status.Conditions, now)
	piece := api.ClusterStatus{Conditions: condition.Merge(p.cluster.Status.Conditions, p.Clock.Now(), now)}
	if err := p.Apply.Status(ctx, p.cluster, piece); err != nil {
		return err
	}
	if changed && now.Reason == api.ReasonPreparationFailed {
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeWarning, "WipeFailed", "WipeDisks", "%s", now.Message)
	}
	return nil
}

type pass struct {
	*Reconciler
	cluster *api.CephCluster
}

// awaitUsers waits for the services whose objects need OSDs: while pools or
// volumes block the deletion, their data stays reachable.
func (p *pass) awaitUsers(context.Context) (step.Outcome, error) {
	own, last := names.Finalizer(fleet.Service), names.Finalizer(lastService)
	prefix := names.Finalizer("")
	var waiting []string
	for _, finalizer := range p.cluster.Finalizers {
		if service, ours := strings.CutPrefix(finalizer, prefix); ours && finalizer != own && finalizer != last {
			waiting = append(waiting, service)
		}
	}
	if len(waiting) == 0 {
		return step.Done, nil
	}
	slices.Sort(waiting)
	return step.Wait(api.ReasonDependents, "Waiting for "+problem.Names(waiting)+" to let the cluster go"), nil
}

// deleteDaemons deletes the Deployments and Jobs of the cluster's OSDs.
func (p *pass) deleteDaemons(ctx context.Context) (step.Outcome, error) {
	own := func(app string) []client.ListOption {
		return []client.ListOption{client.InNamespace(p.cluster.Namespace), client.MatchingLabels{names.LabelPartOf: p.cluster.Name, names.LabelApp: app}}
	}
	return step.Done, errors.Join(
		p.deleteAll(ctx, &appsv1.DeploymentList{}, own(pod.AppOSD)...),
		p.deleteAll(ctx, &batchv1.JobList{}, own(pod.AppPrepare)...),
	)
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
