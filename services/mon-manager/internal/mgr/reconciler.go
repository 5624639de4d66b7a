package mgr

import (
	"context"
	"errors"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
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
	"sigs.k8s.io/controller-runtime/pkg/source"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterMgr

const (
	concurrent = 4
	poll       = 2 * time.Second
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Session(types.NamespacedName) (ceph.Client, error)
}

// Reconciler keeps the managers of CephClusters.
type Reconciler struct {
	Client client.Client
	Links  Sessions
	Events events.EventRecorder
	Clock  clock.PassiveClock
	Random io.Reader
	// Image is the image of this service, which carries the cephlet.
	Image string
	Token disruption.Token
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=pods,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=coordination.k8s.io,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager, changes <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or(watches.Asked(piece), apply.OwnStatus(Name)))).
		Owns(&appsv1.Deployment{}, builder.WithPredicates(watches.Meaningful())).
		Owns(&corev1.Service{}).
		Owns(&corev1.Secret{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(watches.Asked(nil))).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(watches.OfPod), builder.WithPredicates(watches.PodState())).
		WatchesRawSource(source.Channel(changes, &handler.EnqueueRequestForObject{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// piece is what of a CephCluster's status brings this controller back.
func piece(obj client.Object) any {
	cluster, ok := obj.(*api.CephCluster)
	if !ok {
		return nil
	}
	return []any{cluster.Status.Connection, cluster.Status.Managers, cluster.Status.Daemons[api.RoleMon], cluster.Status.CephVersion}
}

type pass struct {
	*Reconciler
	apply   apply.Applier
	cluster *api.CephCluster
	seen    observed
	missing map[string]string
	rolling string
	// updating is whether rolling is about an update of a manager.
	updating bool
	// disturbing is whether we hold the disruption token for a manager that is
	// not back yet.
	disturbing bool
	// warn passes found a daemon in trouble.
	warn bool
}

// Reconcile brings the managers of one cluster to their specified count and
// modules, and says which one is active.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	verdict, _, err := scope.Of(ctx, r.Client, cluster)
	if err != nil || verdict != scope.Served {
		return reconcile.Result{}, err
	}
	if link.Starting(r.Links.Session(client.ObjectKeyFromObject(cluster))) && condition.Find(cluster.Status.Conditions, api.ConditionManagerActive) != nil {
		return reconcile.Result{}, nil // nobody asked yet: what was written stands
	}
	p := &pass{Reconciler: r, cluster: cluster, apply: apply.Applier{Client: r.Client, Manager: Name}}
	report := step.Run(ctx,
		step.Named("observe", p.observe),
		step.Named("keys", p.applyKeys),
		step.Named("services", p.applyServices),
		step.Named("token", p.keepToken),
		step.Named("managers", p.applyManagers),
		step.Named("retire", p.retire),
		step.Named("active", p.awaitActive),
		step.Named("roles", p.labelRoles),
		step.Named("settings", p.applyOptions),
		step.Named("modules", p.applyModules),
		step.Named("dashboard", p.applyDashboard),
	)
	result := report.Result()
	if result.RequeueAfter == 0 && (p.rolling != "" || p.disturbing) {
		result.RequeueAfter = poll
	}
	return result, errors.Join(report.Err, p.writeStatus(ctx, report))
}
