package drivers

import (
	"context"
	"fmt"
	"slices"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	storageac "k8s.io/client-go/applyconfigurations/storage/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name of the controller.
const Name = "provisioner.drivers"

// Reconciler keeps the CSIDrivers while there is a cluster that they can serve. A driver
// outlives the release as long as a cluster does, because volumes in use need
// it; with the last cluster it goes.
type Reconciler struct {
	Client  client.Client
	Drivers []string
}

// +kubebuilder:rbac:groups=storage.k8s.io,resources=csidrivers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch

// Register adds the controller to a manager. It also runs once at the start,
// when there may be no object to be told about.
func (r *Reconciler) Register(mgr manager.Manager) error {
	ours := predicate.NewPredicateFuncs(func(object client.Object) bool { return slices.Contains(r.Drivers, object.GetName()) })
	start := make(chan event.GenericEvent, len(r.Drivers))
	for _, name := range r.Drivers {
		driver := &storagev1.CSIDriver{}
		driver.SetName(name)
		start <- event.GenericEvent{Object: driver}
	}
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&storagev1.CSIDriver{}, builder.WithPredicates(ours)).
		Watches(&api.CephCluster{}, handler.EnqueueRequestsFromMapFunc(
			func(context.Context, client.Object) []ctrl.Request {
				requests := make([]ctrl.Request, len(r.Drivers))
				for i, name := range r.Drivers {
					requests[i].Name = name
				}
				return requests
			}), builder.WithPredicates(comesOrGoes())).
		WatchesRawSource(source.Channel(start, &handler.EnqueueRequestForObject{})).
		WithOptions(queue.Workers(1)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// comesOrGoes lets through what changes the number of clusters.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// Reconcile applies the object, or deletes the one that it applied when no
// cluster is left.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	applier := apply.Applier{Client: r.Client, Manager: Name}
	clusters := api.CephClusterList{}
	if err := r.Client.List(ctx, &clusters); err != nil {
		return ctrl.Result{}, fmt.Errorf("list clusters: %w", err)
	}
	if len(clusters.Items) > 0 {
		return ctrl.Result{}, applier.Set(ctx, nil, object(request.Name))
	}
	driver := &storagev1.CSIDriver{}
	err := r.Client.Get(ctx, client.ObjectKey{Name: request.Name}, driver)
	if apierrors.IsNotFound(err) || err == nil && driver.Labels[apply.ManagedBy] != Name {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CSIDriver %s: %w", request.Name, err)
	}
	return ctrl.Result{}, applier.Delete(ctx, driver)
}

// object says: volumes are attached by a controller, file systems get the pod's
// group by the kubelet, and inline volumes are not offered.
func object(name string) *storageac.CSIDriverApplyConfiguration {
	return storageac.CSIDriver(name).WithSpec(storageac.CSIDriverSpec().
		WithAttachRequired(true).
		WithPodInfoOnMount(false).
		WithFSGroupPolicy(storagev1.FileFSGroupPolicy).
		WithVolumeLifecycleModes(storagev1.VolumeLifecyclePersistent).
		WithStorageCapacity(false).
		WithRequiresRepublish(false).
		WithSELinuxMount(false))
}
