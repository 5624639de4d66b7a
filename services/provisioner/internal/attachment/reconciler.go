package attachment

import (
	"context"
	"fmt"
	"strings"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name of the controller.
const Name = "provisioner.attachment"

const (
	workers = 32
	// refusalRetry is how often a refusal is looked at again: what ends it, such as
	// a taint of the node or a client that closes the image, is not watched.
	refusalRetry = 10 * time.Second
	// Failures are tried again soon at first, and at least every lastRetry.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// Volumes is the part of the CSI controller service that attaches.
type Volumes interface {
	ControllerPublishVolume(context.Context, *csipb.ControllerPublishVolumeRequest) (*csipb.ControllerPublishVolumeResponse, error)
	ControllerUnpublishVolume(context.Context, *csipb.ControllerUnpublishVolumeRequest) (*csipb.ControllerUnpublishVolumeResponse, error)
	// Nodes lists the nodes that the journal knows to have the volume.
	Nodes(ctx context.Context, handle string, secrets map[string]string) ([]string, error)
	Release(ctx context.Context, handle, node string, evidence volumes.Evidence, secrets map[string]string) error
	// StaticHolder and ReleaseStatic are the same for a volume that was made by hand.
	StaticHolder(ctx context.Context, volume volumes.Static, secrets map[string]string) (string, error)
	ReleaseStatic(ctx context.Context, volume volumes.Static, node string, evidence volumes.Evidence, secrets map[string]string) error
}

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Reconciler answers VolumeAttachments.
type Reconciler struct {
	// Client reads VolumeAttachments from the cache and writes.
	Client client.Client
	// Live reads Nodes and PersistentVolumes from the API server: a stale Node
	// must not pass for evidence.
	Live client.Reader
	// Drivers are ours by name, each with its CSI controller service. A driver
	// whose volumes any number of nodes may use has nil: attaching does nothing.
	Drivers map[string]Volumes
	Secrets Secrets
	Clock   clock.PassiveClock
}

// +kubebuilder:rbac:groups=storage.k8s.io,resources=volumeattachments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=storage.k8s.io,resources=volumeattachments/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=persistentvolumes,verbs=get
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get

// Register adds the controller to a manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	ours := predicate.NewPredicateFuncs(func(object client.Object) bool {
		attachment, ok := object.(*storagev1.VolumeAttachment)
		if !ok {
			return false
		}
		_, ours := r.Drivers[attachment.Spec.Attacher]
		return ours
	})
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&storagev1.VolumeAttachment{}, builder.WithPredicates(ours, changed{})).
		Watches(&storagev1.VolumeAttachment{}, handler.EnqueueRequestsFromMapFunc(r.Waiting), builder.WithPredicates(ours, gone{})).
		WithOptions(Options()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// Options of the controller. A volume must not wait long for its next node because
// the first attempts failed, so the time between two attempts is bounded.
func Options() controller.Options {
	options := queue.Workers(workers)
	options.RateLimiter = workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry)
	return options
}

// changed leaves out our own writes to the status.
type changed struct{ predicate.Funcs }

// Update passes when deletion began or the attached flag was taken away.
func (changed) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*storagev1.VolumeAttachment)
	after, known := e.ObjectNew.(*storagev1.VolumeAttachment)
	if !ok || !known {
		return true
	}
	return before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
		before.Status.Attached && !after.Status.Attached && after.DeletionTimestamp.IsZero() ||
		len(before.Finalizers) != len(after.Finalizers)
}

// gone passes only the end of a VolumeAttachment.
type gone struct{ predicate.Funcs }

// Create is not passed.
func (gone) Create(event.CreateEvent) bool { return false }

// Update is not passed.
func (gone) Update(event.UpdateEvent) bool { return false }

// Waiting lists the attachments that may have waited for this one to go: those of
// the same volume.
func (r *Reconciler) Waiting(ctx context.Context, object client.Object) []ctrl.Request {
	ended, ok := object.(*storagev1.VolumeAttachment)
	if !ok || ended.Spec.Source.PersistentVolumeName == nil {
		return nil
	}
	var list storagev1.VolumeAttachmentList
	if err := r.Client.List(ctx, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "VolumeAttachments not listed")
		return nil
	}
	var requests []ctrl.Request
	for i := range list.Items {
		other := &list.Items[i]
		if other.Name != ended.Name && other.Spec.Attacher == ended.Spec.Attacher && !other.Status.Attached &&
			ptr.Equal(other.Spec.Source.PersistentVolumeName, ended.Spec.Source.PersistentVolumeName) {
			requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
	}
	return requests
}

// Reconcile attaches a volume to a node, or detaches it when the
// VolumeAttachment is being deleted.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var attachment storagev1.VolumeAttachment
	err := r.Client.Get(ctx, request.NamespacedName, &attachment)
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read VolumeAttachment: %w", err)
	}
	p := &pass{
		Reconciler: r, attachment: &attachment, driver: attachment.Spec.Attacher, volumes: r.Drivers[attachment.Spec.Attacher],
		apply: apply.Applier{Client: r.Client, Manager: Name},
	}
	work := p.attach
	if !attachment.DeletionTimestamp.IsZero() {
		work = p.detach
	}
	err = work(ctx)
	if err == nil && p.refused {
		return ctrl.Result{RequeueAfter: refusalRetry}, nil
	}
	return ctrl.Result{}, err
}

// Finalizer is what the external-attacher sidecar uses for the driver, so that
// either can end what the other began.
func Finalizer(driver string) string {
	return "external-attacher/" + strings.NewReplacer(".", "-", "/", "-").Replace(driver)
}

// volume reads the PersistentVolume of an attachment.
func (r *Reconciler) volume(ctx context.Context, attachment *storagev1.VolumeAttachment) (*corev1.PersistentVolume, error) {
	name := attachment.Spec.Source.PersistentVolumeName
	if name == nil {
		return nil, fmt.Errorf("read PersistentVolume: %w", errInline)
	}
	var volume corev1.PersistentVolume
	if err := r.Live.Get(ctx, types.NamespacedName{Name: *name}, &volume); err != nil {
		return nil, fmt.Errorf("read PersistentVolume %s: %w", *name, err)
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != attachment.Spec.Attacher {
		return nil, fmt.Errorf("read PersistentVolume %s: %w", *name, errForeign)
	}
	return &volume, nil
}
