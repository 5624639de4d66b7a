package inventory

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller and the field manager.
const Name = "discover.inventory"

// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get

// Reconciler keeps the CephDisks of one node.
type Reconciler struct {
	// Node is the name of the node.
	Node string
	// Devices is what is known of its block devices.
	Devices *Devices
	// Client reads CephDisks from a cache that holds those of the node only.
	Client client.Client
	// Direct reads past the cache: the Node, once per new disk.
	Direct client.Reader
	// Apply writes as this controller.
	Apply apply.Applier
	// Clock measures how long a look takes.
	Clock clock.PassiveClock
	// Metrics may be nil.
	Metrics *Metrics
	// Follow is told which devices to watch for writes by others; nil tells nobody.
	Follow func(names []string) error
}

// Register adds the controller to the manager. Every value sent to wake starts
// a pass, which looks at the devices that were touched before.
func (r *Reconciler) Register(mgr manager.Manager, wake <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WatchesRawSource(source.Channel(wake, handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
			return []reconcile.Request{{}}
		}))).
		Watches(&inventory.CephDisk{}, r.changed()).
		WithOptions(queue.Workers(1)).
		Complete(r)
}

// changed starts a pass after any change of a CephDisk, which puts back what
// somebody changed or deleted. A new selection or a new annotation also means
// that the content of the disk may be another.
func (r *Reconciler) changed() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(_ context.Context, _ event.CreateEvent, q queue) { q.Add(reconcile.Request{}) },
		DeleteFunc: func(_ context.Context, _ event.DeleteEvent, q queue) { q.Add(reconcile.Request{}) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			before, ok := e.ObjectOld.(*inventory.CephDisk)
			after, also := e.ObjectNew.(*inventory.CephDisk)
			if ok && also && contentMayDiffer(before, after) {
				r.Devices.Touch(after.Status.Device)
			}
			q.Add(reconcile.Request{})
		},
	}
}

func contentMayDiffer(before, after *inventory.CephDisk) bool {
	var was, is inventory.DiskSelection
	if before.Status.Selection != nil {
		was = *before.Status.Selection
	}
	if after.Status.Selection != nil {
		is = *after.Status.Selection
	}
	return was.State != is.State || was.OSDUUID != is.OSDUUID ||
		!equality.Semantic.DeepEqual(before.Annotations, after.Annotations)
}

// Reconcile looks at what was touched and makes the CephDisks of the node say
// what is there. One object that cannot be written delays no other.
func (r *Reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	var problems problem.List
	start := r.Clock.Now()
	seen, scanned, err := r.Devices.Look(ctx)
	problems.Add(err)
	if seen == nil && err != nil {
		return reconcile.Result{}, err
	}
	existing, err := r.existing(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	plan := Decide(r.Node, seen, existing)
	r.Metrics.observe(plan, scanned, r.Clock.Since(start))
	for _, entry := range plan.Keep {
		problems.Add(r.keep(ctx, entry, find(existing, entry.Name)))
	}
	for i := range plan.Forget {
		ctrl.LoggerFrom(ctx).Info("disk gone", "disk", plan.Forget[i].Name, "device", plan.Forget[i].Status.Device)
		problems.Add(r.Apply.Delete(ctx, &plan.Forget[i]))
	}
	if r.Follow != nil {
		var follow []string
		for _, one := range seen {
			if one.Verdict.State != disk.Ignored {
				follow = append(follow, one.Facts.KernelName)
			}
		}
		problems.Add(r.Follow(follow))
	}
	return reconcile.Result{}, problems.Err()
}

// existing lists the CephDisks of this node. The cache holds no others, but a
// test's may, and the label is what makes an object ours to write.
func (r *Reconciler) existing(ctx context.Context) ([]inventory.CephDisk, error) {
	var list inventory.CephDiskList
	err := r.Client.List(ctx, &list, client.MatchingLabels{names.LabelHostname: NodeLabel(r.Node)})
	if err != nil {
		return nil, fmt.Errorf("list CephDisks of node %s: %w", r.Node, err)
	}
	return list.Items, nil
}

// keep makes one object and its status. A status needs the object in the cache,
// so that of a new object follows with the event of its creation.
func (r *Reconciler) keep(ctx context.Context, entry Entry, live *inventory.CephDisk) error {
	log := ctrl.LoggerFrom(ctx).WithValues("disk", entry.Name, "device", entry.Status.Device, "state", entry.Status.Probe.State, "reason", entry.Status.Probe.Reason)
	if live == nil {
		owners, err := r.owners(ctx)
		if err != nil {
			return err
		}
		log.Info("disk found", "size", entry.Status.Size, "message", entry.Status.Probe.Message)
		return r.Apply.Typed(ctx, nil, object(entry.Name, r.Node, owners))
	}
	if before := live.Status.Probe; before != nil && before.State != entry.Status.Probe.State {
		log.Info("disk changed", "was", before.State, "message", entry.Status.Probe.Message)
	}
	if err := r.Apply.Typed(ctx, nil, object(entry.Name, r.Node, live.OwnerReferences)); err != nil {
		return err
	}
	return r.Apply.Status(ctx, live, entry.Status)
}

func (r *Reconciler) owners(ctx context.Context) ([]metav1.OwnerReference, error) {
	var node corev1.Node
	if err := r.Direct.Get(ctx, client.ObjectKey{Name: r.Node}, &node); err != nil {
		return nil, fmt.Errorf("read node %s: %w", r.Node, err)
	}
	return owner(&node), nil
}

func find(list []inventory.CephDisk, name string) *inventory.CephDisk {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}
