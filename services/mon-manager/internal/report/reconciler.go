package report

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterReport

const (
	service    = "mon-manager"
	concurrent = 4
	again      = 200 * time.Millisecond
	// deletionPoll is how often a blocked deletion looks for what blocks it:
	// the dependents are of kinds that are not watched here.
	deletionPoll = 5 * time.Second
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Forget(types.NamespacedName)
}

// Reconciler sums up CephClusters.
type Reconciler struct {
	// Client reads from the cache; Live reads around it.
	Client client.Client
	Live   client.Reader
	Links  Sessions
	Events events.EventRecorder
	Clock  clock.PassiveClock
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephblockpools;cephblockpoolradosnamespaces;cephfilesystems;cephfilesystemsubvolumegroups;cephfilesystemmirrors;cephrbdmirrors;cephobjectstores;cephobjectstoreusers;cephobjectstoreaccounts;cephobjectrealms;cephobjectzonegroups;cephobjectzones;cephbuckettopics;cephbucketnotifications;cephcosidrivers;cephnvmeofgateways;cephnfses;cephclients,verbs=list
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets;configmaps,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(watches.Asked(piece))).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// piece is what of a CephCluster's status brings this controller back: the
// conditions with their words, the finalizers of others, and the state.
func piece(obj client.Object) any {
	cluster, ok := obj.(*api.CephCluster)
	if !ok {
		return nil
	}
	known := map[string][3]string{}
	for _, c := range cluster.Status.Conditions {
		known[c.Type] = [3]string{string(c.Status), c.Reason, c.Message}
	}
	return []any{known, cluster.Finalizers, cluster.Status.Phase, cluster.Status.State, cluster.Status.Connection}
}

// Reconcile sums up one cluster, or lets a deleted one go.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	result, err := r.reconcile(ctx, cluster)
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: again}, nil // what changed is read anew
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	verdict, older, err := scope.Of(ctx, r.Client, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	in := Input{Cluster: cluster, Verdict: verdict, Older: older}
	if cluster.DeletionTimestamp != nil {
		return r.teardown(ctx, in)
	}
	if verdict == scope.Served {
		if err := r.applier().Finalizer(ctx, cluster, names.Finalizer(service)); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, r.write(ctx, in)
}

func (r *Reconciler) applier() apply.Applier { return apply.Applier{Client: r.Client, Manager: Name} }

func (r *Reconciler) write(ctx context.Context, in Input) error {
	summary := Summarize(in)
	cluster := in.Cluster
	r.announce(cluster, summary)
	return r.applier().Status(ctx, cluster, api.ClusterStatus{
		Phase: summary.Phase, State: summary.State, Message: summary.Message,
		ObservedGeneration: cluster.Generation,
		Conditions:         condition.Merge(cluster.Status.Conditions, r.Clock.Now(), summary.Conditions...),
		UnsupportedFields:  summary.Unsupported,
	})
}

// announce publishes one event when the summary takes a turn, and one about
// fields that nobody acts on.
func (r *Reconciler) announce(cluster *api.CephCluster, summary Summary) {
	for _, c := range summary.Conditions {
		if !slices.Contains(summary.Tell, c.Type) || !condition.Changed(cluster.Status.Conditions, c) || c.Status != metav1.ConditionTrue {
			continue
		}
		typ := corev1.EventTypeWarning
		if c.Type == api.ConditionReady {
			typ = corev1.EventTypeNormal
		}
		reason := c.Reason
		if old := condition.Find(cluster.Status.Conditions, c.Type); old != nil && old.Status == c.Status && old.Reason == reason &&
			c.Type != api.ConditionUnsupportedFields {
			continue
		}
		r.Events.Eventf(cluster, nil, typ, reason, "Reconcile", "%s", strings.TrimSpace(c.Message))
	}
}
