package resize

import (
	"context"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
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
	reasonNode   = "FileSystemResizeRequired"
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
	Clock   clock.PassiveClock
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
	grown, err := r.expand(ctx, driver, claim, volume)
	if err != nil {
		r.Events.Eventf(claim, volume, corev1.EventTypeWarning, reasonFailed, "Resize", "%s", status.Convert(err).Message())
		return ctrl.Result{}, fmt.Errorf("expand volume %s: %w", volume.Name, err)
	}
	if err := r.publish(ctx, claim, volume, grown); err != nil {
		return ctrl.Result{}, err
	}
	r.tell(claim, volume, grown)
	ctrl.LoggerFrom(ctx).Info("volume resized", "volume", volume.Name, "size", grown.size.String(), "nodePending", grown.node)
	return ctrl.Result{}, nil
}

// expanded is what the driver says of a volume.
type expanded struct {
	size *resource.Quantity
	// node tells that the volume grows in full only when its node does its part.
	node bool
}

func (r *Reconciler) expand(
	ctx context.Context, driver Volumes, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume,
) (expanded, error) {
	csi := volume.Spec.CSI
	var secrets map[string]string
	if ref := csi.ControllerExpandSecretRef; ref != nil {
		var err error
		if secrets, err = r.Secrets.Secret(ctx, ref.Namespace, ref.Name); err != nil {
			return expanded{}, err
		}
	}
	mode, err := provision.AccessMode(volume.Spec.AccessModes)
	if err != nil {
		return expanded{}, err
	}
	response, err := driver.ControllerExpandVolume(ctx, &csipb.ControllerExpandVolumeRequest{
		VolumeId: csi.VolumeHandle, Secrets: secrets, CapacityRange: &csipb.CapacityRange{RequiredBytes: wanted(claim).Value()},
		VolumeCapability: provision.Capability(volume.Spec.VolumeMode, mode, csi.FSType, volume.Spec.MountOptions),
	})
	if err != nil {
		return expanded{}, err
	}
	return expanded{resource.NewQuantity(response.GetCapacityBytes(), resource.BinarySI), response.GetNodeExpansionRequired()}, nil
}

// publish writes the volume first: from a crash in between the next pass goes on.
func (r *Reconciler) publish(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume, grown expanded,
) error {
	applier := apply.Applier{Client: r.Client, Manager: Name}
	if volume.Spec.Capacity.Storage().Cmp(*grown.size) < 0 {
		if err := applier.Fields(ctx, volume, map[string]any{"spec": map[string]any{"capacity": storage(grown.size)}}); err != nil {
			return err
		}
	}
	if grown.node {
		return applier.Status(ctx, claim, pending(grown.size, metav1.NewTime(r.Clock.Now())))
	}
	return applier.Status(ctx, claim, map[string]any{"capacity": storage(grown.size)})
}

func (r *Reconciler) tell(claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume, grown expanded) {
	if grown.node {
		r.Events.Eventf(claim, volume, corev1.EventTypeNormal, reasonNode, "Resize",
			"Resized volume %s to %s; its node grows what is on it", volume.Name, grown.size.String())
		return
	}
	r.Events.Eventf(claim, volume, corev1.EventTypeNormal, reasonDone, "Resize", "Resized volume %s to %s", volume.Name, grown.size.String())
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
