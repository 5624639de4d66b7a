package resize

import (
	"context"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/provision"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name of the controller.
const Name = "provisioner.resize"

const workers = 8

// The reasons of events, which are those that people know from the sidecar.
const (
	reasonDone   = "VolumeResizeSuccessful"
	reasonFailed = "VolumeResizeFailed"
)

// Volumes is the part of the CSI controller service that makes volumes larger.
type Volumes interface {
	ControllerExpandVolume(context.Context, *csipb.ControllerExpandVolumeRequest) (*csipb.ControllerExpandVolumeResponse, error)
}

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Reconciler answers claims that ask for more than they have.
type Reconciler struct {
	// Client reads from the API server: the caches below hold claims and volumes.
	Client client.Client
	// Claims and PersistentVolumes are caches that somebody else runs.
	Claims            toolscache.SharedIndexInformer
	PersistentVolumes toolscache.SharedIndexInformer
	// Drivers that can expand, by name.
	Drivers map[string]Volumes
	Secrets Secrets
	Events  events.EventRecorder
}

// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=persistentvolumes,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to a manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	wanting := predicate.NewPredicateFuncs(func(object client.Object) bool {
		claim, ok := object.(*corev1.PersistentVolumeClaim)
		return ok && Wants(claim)
	})
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		WatchesRawSource(&source.Informer{
			Informer: r.Claims, Handler: &handler.EnqueueRequestForObject{}, Predicates: []predicate.Predicate{wanting},
		}).
		WithOptions(queue.Workers(workers)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// Wants tells whether a bound claim asks for more than it has.
func Wants(claim *corev1.PersistentVolumeClaim) bool {
	has, known := claim.Status.Capacity[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound && claim.Spec.VolumeName != "" && claim.DeletionTimestamp.IsZero() &&
		known && wanted(claim).Cmp(has) > 0
}

func wanted(claim *corev1.PersistentVolumeClaim) *resource.Quantity {
	return claim.Spec.Resources.Requests.Storage()
}

// Reconcile makes the volume of one claim as large as the claim asks.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	claim, found, err := cached[*corev1.PersistentVolumeClaim](r.Claims, request.String())
	if err != nil || !found || !Wants(claim) {
		return ctrl.Result{}, err
	}
	volume, found, err := cached[*corev1.PersistentVolume](r.PersistentVolumes, claim.Spec.VolumeName)
	if err != nil || !found || volume.Spec.CSI == nil || volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID != claim.UID {
		return ctrl.Result{}, err
	}
	driver, ours := r.Drivers[volume.Spec.CSI.Driver]
	if !ours {
		return ctrl.Result{}, nil
	}
	size, err := r.expand(ctx, driver, claim, volume)
	if err != nil {
		r.Events.Eventf(claim, volume, corev1.EventTypeWarning, reasonFailed, "Resize", "%s", status.Convert(err).Message())
		return ctrl.Result{}, fmt.Errorf("expand volume %s: %w", volume.Name, err)
	}
	if err := r.publish(ctx, claim, volume, size); err != nil {
		return ctrl.Result{}, err
	}
	r.Events.Eventf(claim, volume, corev1.EventTypeNormal, reasonDone, "Resize", "Resized volume %s to %s", volume.Name, size.String())
	ctrl.LoggerFrom(ctx).Info("volume resized", "volume", volume.Name, "size", size.String())
	return ctrl.Result{}, nil
}

func (r *Reconciler) expand(
	ctx context.Context, driver Volumes, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume,
) (*resource.Quantity, error) {
	csi := volume.Spec.CSI
	var secrets map[string]string
	if ref := csi.ControllerExpandSecretRef; ref != nil {
		var err error
		if secrets, err = r.Secrets.Secret(ctx, ref.Namespace, ref.Name); err != nil {
			return nil, err
		}
	}
	mode, err := provision.AccessMode(volume.Spec.AccessModes)
	if err != nil {
		return nil, err
	}
	response, err := driver.ControllerExpandVolume(ctx, &csipb.ControllerExpandVolumeRequest{
		VolumeId: csi.VolumeHandle, Secrets: secrets, CapacityRange: &csipb.CapacityRange{RequiredBytes: wanted(claim).Value()},
		VolumeCapability: provision.Capability(volume.Spec.VolumeMode, mode, csi.FSType, volume.Spec.MountOptions),
	})
	if err != nil {
		return nil, err
	}
	return resource.NewQuantity(response.GetCapacityBytes(), resource.BinarySI), nil
}

// publish writes the volume first: from a crash in between the next pass goes on.
func (r *Reconciler) publish(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume, size *resource.Quantity,
) error {
	capacity := map[string]any{"capacity": map[string]any{string(corev1.ResourceStorage): size.String()}}
	applier := apply.Applier{Client: r.Client, Manager: Name}
	if volume.Spec.Capacity.Storage().Cmp(*size) < 0 {
		if err := applier.Fields(ctx, volume, map[string]any{"spec": capacity}); err != nil {
			return err
		}
	}
	return applier.Status(ctx, claim, capacity)
}

// cached reads from a cache that is not controller-runtime's.
func cached[T any](informer toolscache.SharedIndexInformer, key string) (T, bool, error) {
	var none T
	object, found, err := informer.GetIndexer().GetByKey(key)
	if err != nil || !found {
		return none, false, err
	}
	typed, ok := object.(T)
	return typed, ok, nil
}
