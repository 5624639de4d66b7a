package drain

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
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

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller, the field manager and the event source.
const Name = "osd-manager.drain"

// poll is how often to ask Ceph while a domain drains or waits to.
const poll = 10 * time.Second

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=cluster,resources=configmaps,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,namespace=cluster,resources=deployments,verbs=get;list;watch
// +kubebuilder:rbac:groups=policy,namespace=cluster,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete

// Reconciler keeps the disruption budgets of one cluster's OSDs.
type Reconciler struct {
	Client client.Client
	// Live reads what was begun, past the cache: who forgets that a flag is his
	// own never takes it back.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(clusterChanged())).
		Owns(&appsv1.Deployment{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&inventory.CephOSD{}, handler.EnqueueRequestsFromMapFunc(fleet.ClusterOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(queue.All(r.Client, &api.CephClusterList{})), builder.WithPredicates(cordonChanged())).
		WithOptions(queue.Workers(4)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile writes the budgets that hold now.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	if !cluster.DeletionTimestamp.IsZero() || cluster.Status.Connection == nil || cluster.Status.Connection.FSID == "" {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster}
	report := step.Run(ctx,
		step.Named("observe", p.observe),
		step.Named("ask", p.ask),
		step.Named("release", p.unsetNoOut),
		step.Named("note", p.note),
		step.Named("budgets", p.applyBudgets),
		step.Named("hold", p.setNoOut),
	)
	result := report.Result()
	if report.IsDone() && (p.next.Domain != "" || len(Candidates(p.seen.Daemons)) > 0) {
		result.RequeueAfter = poll
	}
	if p.unanswered != nil {
		ctrl.LoggerFrom(ctx).Info("ceph does not answer, budgets stay as they are", "error", p.unanswered.Error())
	}
	return result, report.Err
}

// clusterChanged passes what budgets are made from.
func clusterChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*api.CephCluster)
		after, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || before.Generation != after.Generation ||
			(before.Status.Connection == nil) != (after.Status.Connection == nil)
	}}
}

// cordonChanged passes nodes that began or ceased to take pods.
func cordonChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*corev1.Node)
		after, isAfter := e.ObjectNew.(*corev1.Node)
		return !isBefore || !isAfter || before.Spec.Unschedulable != after.Spec.Unschedulable
	}}
}
