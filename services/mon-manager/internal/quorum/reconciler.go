package quorum

import (
	"context"
	"errors"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterQuorum

const (
	readTimeout = 5 * time.Second
	// concurrent is how many clusters are worked on at the same time, so that
	// a sick one delays no other.
	concurrent = 4
	again      = 200 * time.Millisecond
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Ensure(types.NamespacedName, link.Target)
	Bootstrap(types.NamespacedName) (ceph.Client, error)
}

// Reconciler keeps the monitors of CephClusters.
type Reconciler struct {
	// Client reads from the cache; Live reads around it.
	Client client.Client
	Live   client.Reader
	Links  Sessions
	Events events.EventRecorder
	Clock  clock.PassiveClock
	// Random makes keys and fsids.
	Random io.Reader
	// Image is the image of this service, which carries the cephlet.
	Image string
	Token disruption.Token
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=inventory.ceph.rook.io,resources=cephosds,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=services;persistentvolumeclaims,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups="",resources=configmaps,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=batch,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=coordination.k8s.io,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager; changes tells when what Ceph
// says has changed.
func (r *Reconciler) Register(mgr manager.Manager, changes <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or(watches.Asked(piece), apply.OwnStatus(Name)))).
		Owns(&appsv1.Deployment{}, builder.WithPredicates(watches.Meaningful())).
		Owns(&corev1.Service{}).
		Owns(&corev1.Secret{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(watches.Asked(nil))).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(watches.OfIdentity(r.Client))).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(watches.OfIdentity(r.Client))).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(watches.OfPod), builder.WithPredicates(watches.PodState())).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(queue.All(r.Client, &api.CephClusterList{})), builder.WithPredicates(watches.NodeState())).
		WatchesRawSource(source.Channel(changes, &handler.EnqueueRequestForObject{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// piece is what of a CephCluster's status brings this controller back.
func piece(obj client.Object) any {
	cluster, ok := obj.(*api.CephCluster)
	if !ok {
		return nil
	}
	return []any{cluster.Status.Monitors, cluster.Status.Connection, cluster.Status.CephVersion, mayGo(cluster)}
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	apply   apply.Applier
	cluster *api.CephCluster
	seen    observed
	plan    Plan
	status  pieces
	// rolling says which update is under way or waits; hold says why the
	// specified image is not used yet, and holdReason says it as a token.
	rolling, hold, holdReason string
	// addresses are the monitors that cannot have their address.
	addresses problem.List
	// quiet passes found nothing out and write no status; warn passes found a
	// daemon in trouble.
	quiet, warn bool
}

// Reconcile brings the monitors of one cluster to their specified count and
// publishes how to reach them. Steps run in order; the first one that is not
// Done ends the pass, and its reason becomes the MonitorsInQuorum condition.
func (r *Reconciler) Reconcile(ctx context.Context, cached *api.CephCluster) (reconcile.Result, error) {
	verdict, _, err := scope.Of(ctx, r.Client, cached)
	if err != nil || verdict != scope.Served && cached.DeletionTimestamp == nil {
		return reconcile.Result{}, err
	}
	// What was intended is read around the cache: an intention that is not
	// seen would be made up anew.
	cluster := &api.CephCluster{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(cached), cluster); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if cluster.UID != cached.UID {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster, apply: apply.Applier{Client: r.Client, Manager: Name}}
	p.status = piecesOf(cluster)
	if mayGo(cluster) {
		return unlessConflict(reconcile.Result{}, p.letGo(ctx))
	}
	if verdict == scope.Surplus || verdict == scope.External {
		return reconcile.Result{}, nil // what is here belongs to another cluster
	}
	report := step.Run(ctx,
		step.Named("image", p.checkImage),
		step.Named("observe", p.observe),
		step.Named("identity", p.applyIdentity),
		step.Named("plan", p.decide),
		step.Named("addresses", p.applyAddresses),
		step.Named("endpoints", p.publishEndpoints),
		step.Named("version", p.detectVersion),
		step.Named("monitors", p.applyMonitors),
		step.Named("token", p.keepToken),
		step.Named("running", p.awaitRunning),
		step.Named("connect", p.connect),
		step.Named("quorum", p.awaitQuorum),
		step.Named("retire", p.retire),
		step.Named("budget", p.applyBudget),
		step.Named("settled", p.settled),
	)
	return p.finish(ctx, report)
}

// finish reports what the pass found, and says when to look again.
func (p *pass) finish(ctx context.Context, report step.Report) (reconcile.Result, error) {
	if apierrors.IsConflict(report.Err) {
		return unlessConflict(reconcile.Result{}, report.Err)
	}
	result := report.Result()
	if result.RequeueAfter == 0 && p.rolling != "" {
		result.RequeueAfter = poll
	}
	written := p.writeStatus(ctx, report)
	if apierrors.IsConflict(written) {
		return unlessConflict(result, written)
	}
	return result, errors.Join(report.Err, written)
}

// unlessConflict asks for another pass after a conflict: what changed is read
// anew.
func unlessConflict(result reconcile.Result, err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: again}, nil
	}
	return result, err
}
