package drivers

import (
	"context"
	"fmt"

	storagev1 "k8s.io/api/storage/v1"
	storageac "k8s.io/client-go/applyconfigurations/storage/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rook-ceph/rook-ceph/shared/apply"
)

// Name of the controller.
const Name = "provisioner.drivers"

// Reconciler keeps one CSIDriver.
type Reconciler struct {
	Client client.Client
	Driver string
}

// +kubebuilder:rbac:groups=storage.k8s.io,resources=csidrivers,verbs=get;list;watch;create;patch

// Register adds the controller to a manager. It also runs once at the start,
// when there may be no object to be told about.
func (r *Reconciler) Register(mgr manager.Manager) error {
	ours := predicate.NewPredicateFuncs(func(object client.Object) bool { return object.GetName() == r.Driver })
	start := make(chan event.GenericEvent, 1)
	driver := &storagev1.CSIDriver{}
	driver.SetName(r.Driver)
	start <- event.GenericEvent{Object: driver}
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&storagev1.CSIDriver{}, builder.WithPredicates(ours)).
		WatchesRawSource(source.Channel(start, &handler.EnqueueRequestForObject{})).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// Reconcile applies the object.
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	return ctrl.Result{}, apply.Applier{Client: r.Client, Manager: Name}.Set(ctx, nil, object(r.Driver))
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
