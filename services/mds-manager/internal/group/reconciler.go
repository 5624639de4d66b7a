package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
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
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterGroup
	// legacyFinalizer is what Rook left on an object that was taken over.
	legacyFinalizer = "cephfilesystemsubvolumegroup.ceph.rook.io"

	workers = 4
	// recheck is how often a settled group is compared with Ceph.
	recheck = 10 * time.Minute
)

// Finalizer keeps an object until its group is gone.
func Finalizer() string { return names.Finalizer(daemons.Service) }

// Reconciler keeps groups of subvolumes.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock

	patience step.Patience
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystemsubvolumegroups,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystemsubvolumegroups/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystemsubvolumegroups/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems;cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephFilesystemSubVolumeGroup{}, builder.WithPredicates(changed)).
		Watches(&api.CephFilesystem{}, handler.EnqueueRequestsFromMapFunc(r.inFilesystem), builder.WithPredicates(served{})).
		Watches(&api.CephCluster{}, handler.EnqueueRequestsFromMapFunc(r.inFilesystem), builder.WithPredicates(watches.Cluster(api.RoleMDS))).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// served passes the moments when a file system begins or ceases to be served.
type served struct{ predicate.Funcs }

// Update compares whether ranks are served.
func (served) Update(e event.UpdateEvent) bool {
	before, isBefore := e.ObjectOld.(*api.CephFilesystem)
	after, isAfter := e.ObjectNew.(*api.CephFilesystem)
	return !isBefore || !isAfter || serves(before) != serves(after)
}

func serves(fs *api.CephFilesystem) bool { return fs.Status != nil && fs.Status.Replicas > 0 }

// inFilesystem returns the groups in a file system, or in all of a cluster.
func (r *Reconciler) inFilesystem(ctx context.Context, obj client.Object) []reconcile.Request {
	var list api.CephFilesystemSubVolumeGroupList
	if err := r.Client.List(ctx, &list, client.InNamespace(obj.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "subvolume groups not listed", "namespace", obj.GetNamespace())
		return nil
	}
	_, isFilesystem := obj.(*api.CephFilesystem)
	var requests []reconcile.Request
	for i := range list.Items {
		if !isFilesystem || list.Items[i].Spec.FilesystemName == obj.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// Reconcile makes the group what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var group api.CephFilesystemSubVolumeGroup
	err := r.Client.Get(ctx, request.NamespacedName, &group)
	if apierrors.IsNotFound(err) {
		r.patience.Forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephFilesystemSubVolumeGroup: %w", err)
	}
	p := &pass{Reconciler: r, group: &group}
	if group.Status != nil {
		p.before = *group.Status
	}
	steps := []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("others", p.findOthers),
		step.Named("clusterID", p.holdClusterID),
		step.Named("filesystem", p.findFilesystem),
		step.Named("cluster", p.findCluster),
		step.Named("connect", p.connect),
		step.Named("observe", p.observe),
		step.Named("create", p.create),
		step.Named("quota", p.resize),
		step.Named("pinning", p.pin),
	}
	if !group.DeletionTimestamp.IsZero() {
		steps = []step.Step{
			step.Named("others", p.findOthers),
			step.Named("cluster", p.findForDeletion),
			step.Named("remove", p.remove),
			step.Named("release", p.release),
		}
	}
	report := step.Run(ctx, steps...)
	result := r.patience.Result(request.NamespacedName, report, r.Clock.Now())
	if report.IsDone() && group.DeletionTimestamp.IsZero() {
		result.RequeueAfter = recheck
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	group   *api.CephFilesystemSubVolumeGroup
	before  api.CephFilesystemSubVolumeGroupStatus
	fs      *api.CephFilesystem
	cluster *api.CephCluster
	client  ceph.Client
	// rival names the object whose clusterID ours would take, twin one that keeps
	// the same group under the same clusterID.
	rival, twin string
	// seen is nil when Ceph has no such group, which missing tells from not having
	// looked.
	seen     *ceph.SubvolumeGroup
	missing  bool
	pinned   string
	drift    string
	blockers []string
}
