package selection

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller, the field manager and the event source.
const Name = "osd-manager.selection"

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=cluster,resources=events,verbs=create;patch

// Reconciler decides about all disks at once, because a disk can go to one
// cluster only.
type Reconciler struct {
	Client client.Client
	Apply  apply.Applier
	Events events.EventRecorder
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		Watches(&api.CephCluster{}, all, builder.WithPredicates(clusterChanged())).
		Watches(&inventory.CephDisk{}, all).
		Watches(&inventory.CephOSD{}, all).
		Watches(&corev1.Node{}, all, builder.WithPredicates(nodeChanged())).
		WithOptions(queue.Workers(1)).
		Complete(r)
}

// Reconcile brings the verdicts and the CephOSDs of all disks up to date. One
// disk that cannot be written delays no other.
func (r *Reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	seen, err := Observe(ctx, r.Client)
	if err != nil {
		return reconcile.Result{}, err
	}
	plan := Decide(seen)
	var problems problem.List
	for _, intent := range plan.Intents {
		problems.Add(r.create(ctx, intent))
	}
	for i := range seen.Disks {
		disk := &seen.Disks[i]
		problems.Add(r.speak(ctx, disk, plan.Verdicts[disk.Name]))
		problems.Add(r.follow(ctx, disk, seen))
	}
	return reconcile.Result{}, problems.Err()
}

// Observe reads what Decide and Problems need, from the cache.
func Observe(ctx context.Context, reader client.Reader) (Observed, error) {
	var clusters api.CephClusterList
	var nodes corev1.NodeList
	var disks inventory.CephDiskList
	var osds inventory.CephOSDList
	for _, list := range []client.ObjectList{&clusters, &nodes, &disks, &osds} {
		if err := reader.List(ctx, list); err != nil {
			return Observed{}, fmt.Errorf("list %T: %w", list, err)
		}
	}
	return Observed{Clusters: owner.All(clusters.Items), Nodes: nodes.Items, Disks: disks.Items, OSDs: osds.Items}, nil
}

// create records the intent. It creates and never overwrites: a CephOSD that is
// there already, though not in the cache yet, keeps its uuid.
func (r *Reconciler) create(ctx context.Context, intent Intent) error {
	osd := record(intent, uuid.NewString())
	if err := ctrl.SetControllerReference(intent.Cluster, osd, r.Client.Scheme()); err != nil {
		return fmt.Errorf("own CephOSD %s: %w", osd.Name, err)
	}
	err := r.Client.Create(ctx, osd, client.FieldOwner(Name))
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create CephOSD %s: %w", client.ObjectKeyFromObject(osd), err)
	}
	ctrl.LoggerFrom(ctx).Info("disk selected", "disk", osd.Name, "node", osd.Spec.Node, "device", intent.Disk.Status.Device, "osd", osd.Spec.UUID)
	r.Events.Eventf(intent.Cluster, osd, corev1.EventTypeNormal, "DiskSelected", "SelectDisk", "Selected %s of node %s for an OSD", intent.Disk.Status.Device, osd.Spec.Node)
	return nil
}

// speak writes the verdict into the CephDisk.
func (r *Reconciler) speak(ctx context.Context, disk *inventory.CephDisk, verdict *inventory.DiskSelection) error {
	if verdict == nil && disk.Status.Selection == nil {
		return nil
	}
	return r.Apply.Status(ctx, disk, inventory.CephDiskStatus{Selection: verdict})
}

// follow keeps the place of an OSD current when its disk was moved, or its
// node's labels were changed.
func (r *Reconciler) follow(ctx context.Context, disk *inventory.CephDisk, seen Observed) error {
	osd := followed(disk, seen)
	if osd == nil {
		return nil
	}
	now := moved(osd, disk, nodeOf(seen.Nodes, disk.Status.Node))
	if now == nil {
		return nil
	}
	return r.Apply.Typed(ctx, nil, now)
}

// clusterChanged passes what the decision depends on: the spec, the deletion,
// and the fsid.
func clusterChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*api.CephCluster)
		after, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || before.Generation != after.Generation ||
			before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() || fsid(before) != fsid(after)
	}}
}

func fsid(cluster *api.CephCluster) string {
	if cluster.Status.Connection == nil {
		return ""
	}
	return cluster.Status.Connection.FSID
}

// nodeChanged passes what the decision depends on, and none of the heartbeats.
func nodeChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*corev1.Node)
		after, isAfter := e.ObjectNew.(*corev1.Node)
		return !isBefore || !isAfter || before.ResourceVersion == after.ResourceVersion ||
			before.Generation != after.Generation || ready(before) != ready(after) ||
			!sameLabels(before.Labels, after.Labels) || before.Spec.Unschedulable != after.Spec.Unschedulable ||
			!slices.EqualFunc(before.Spec.Taints, after.Spec.Taints, sameTaint)
	}}
}

func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}

func sameLabels(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if b[name] != value {
			return false
		}
	}
	return true
}
