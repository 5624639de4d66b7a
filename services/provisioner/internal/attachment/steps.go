package attachment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/provision"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

var (
	errInline  = errors.New("inline volumes are not supported")
	errForeign = errors.New("volume belongs to another driver")
)

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	attachment *storagev1.VolumeAttachment
	driver     string
	volumes    Volumes
	apply      apply.Applier
	// refused is set when the volume cannot be had or given up yet: the status says
	// why, and it is no failure.
	refused bool
}

// piece is the part of the status that is ours: all of it.
type piece struct {
	Attached    bool                   `json:"attached"`
	AttachError *storagev1.VolumeError `json:"attachError,omitempty"`
	DetachError *storagev1.VolumeError `json:"detachError,omitempty"`
}

func (p *pass) attach(ctx context.Context) error {
	if p.attachment.Status.Attached {
		return nil
	}
	if err := p.apply.Finalizer(ctx, p.attachment, Finalizer(p.driver)); err != nil {
		return err
	}
	if err := p.publish(ctx); err != nil {
		return p.fail(ctx, piece{AttachError: p.problem(err, p.attachment.Status.AttachError)}, err)
	}
	if err := p.apply.Status(ctx, p.attachment, piece{Attached: true}); err != nil {
		return err
	}
	ctrl.LoggerFrom(ctx).Info("volume attached", "volume", p.attachment.Spec.Source.PersistentVolumeName, "node", p.attachment.Spec.NodeName)
	return nil
}

func (p *pass) publish(ctx context.Context) error {
	volume, err := p.volume(ctx, p.attachment)
	if err != nil {
		return err
	}
	if p.volumes == nil {
		return nil
	}
	source := volume.Spec.CSI
	if source.VolumeAttributes[csi.AttributeStaticVolume] == "true" {
		return p.retireStatic(ctx, volume)
	}
	mode, err := provision.AccessMode(volume.Spec.AccessModes)
	if err != nil {
		return err
	}
	secrets, err := p.secrets(ctx, source.ControllerPublishSecretRef)
	if err != nil {
		return err
	}
	if err := p.retireOthers(ctx, volume, secrets); err != nil {
		return err
	}
	_, err = p.volumes.ControllerPublishVolume(ctx, &csipb.ControllerPublishVolumeRequest{
		VolumeId: source.VolumeHandle, NodeId: p.attachment.Spec.NodeName, Readonly: source.ReadOnly,
		VolumeCapability: provision.Capability(volume.Spec.VolumeMode, mode, source.FSType, volume.Spec.MountOptions),
		VolumeContext:    source.VolumeAttributes, Secrets: secrets,
	})
	return err
}

// retireOthers releases the volume from nodes that the journal still lists and
// that Kubernetes does not: their VolumeAttachments vanished without us.
func (p *pass) retireOthers(ctx context.Context, volume *corev1.PersistentVolume, secrets map[string]string) error {
	handle := volume.Spec.CSI.VolumeHandle
	held, err := p.volumes.Nodes(ctx, handle, secrets)
	if err != nil {
		return err
	}
	for _, node := range held {
		if node == p.attachment.Spec.NodeName {
			continue
		}
		wanted, err := p.wanted(ctx, volume.Name, node)
		if err != nil {
			return err
		}
		if wanted {
			continue
		}
		if err := p.letGo(ctx, handle, node, secrets); err != nil {
			return err
		}
	}
	return nil
}

// wanted tells whether a VolumeAttachment of the volume to the node exists.
func (p *pass) wanted(ctx context.Context, volume, node string) (bool, error) {
	var list storagev1.VolumeAttachmentList
	if err := p.Live.List(ctx, &list); err != nil {
		return false, fmt.Errorf("list VolumeAttachments: %w", err)
	}
	for i := range list.Items {
		spec := list.Items[i].Spec
		if spec.NodeName == node && spec.Source.PersistentVolumeName != nil && *spec.Source.PersistentVolumeName == volume {
			return true, nil
		}
	}
	return false, nil
}

func (p *pass) detach(ctx context.Context) error {
	volume, err := p.volume(ctx, p.attachment)
	switch {
	case apierrors.IsNotFound(err), errors.Is(err, errForeign), errors.Is(err, errInline):
		return p.apply.RemoveFinalizer(ctx, p.attachment, Finalizer(p.driver))
	case err != nil:
		return err
	}
	if err := p.unpublish(ctx, volume); err != nil {
		return p.fail(ctx, piece{
			Attached:    p.attachment.Status.Attached,
			DetachError: p.problem(err, p.attachment.Status.DetachError),
		}, err)
	}
	ctrl.LoggerFrom(ctx).Info("volume detached", "volume", volume.Name, "node", p.attachment.Spec.NodeName)
	return p.apply.RemoveFinalizer(ctx, p.attachment, Finalizer(p.driver))
}

func (p *pass) unpublish(ctx context.Context, volume *corev1.PersistentVolume) error {
	if p.volumes == nil {
		return nil
	}
	source := volume.Spec.CSI
	if source.VolumeAttributes[csi.AttributeStaticVolume] == "true" {
		return p.letGoStatic(ctx, source, p.attachment.Spec.NodeName)
	}
	secrets, err := p.secrets(ctx, source.ControllerPublishSecretRef)
	if err != nil {
		return err
	}
	return p.letGo(ctx, source.VolumeHandle, p.attachment.Spec.NodeName, secrets)
}

// letGo ends the hold of a node with whatever evidence there is.
func (p *pass) letGo(ctx context.Context, handle, node string, secrets map[string]string) error {
	evidence, err := p.evidence(ctx, handle, node)
	if err != nil {
		return err
	}
	if err := p.volumes.Release(ctx, handle, node, evidence, secrets); err != nil {
		return err
	}
	_, err = p.volumes.ControllerUnpublishVolume(ctx, &csipb.ControllerUnpublishVolumeRequest{
		VolumeId: handle, NodeId: node, Secrets: secrets,
	})
	return err
}

// evidence reads the Node from the API server. A node that does not report keeps
// its list of volumes in use, so it never passes for one that let go.
func (p *pass) evidence(ctx context.Context, handle, name string) (volumes.Evidence, error) {
	var node corev1.Node
	err := p.Live.Get(ctx, types.NamespacedName{Name: name}, &node)
	if apierrors.IsNotFound(err) {
		return volumes.Gone, nil
	}
	if err != nil {
		return volumes.InUse, fmt.Errorf("read Node %s: %w", name, err)
	}
	return weigh(&node, p.driver, handle), nil
}

// weigh says what a Node object proves.
func weigh(node *corev1.Node, driver, handle string) volumes.Evidence {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeOutOfService {
			return volumes.Gone
		}
	}
	for _, used := range node.Status.VolumesInUse {
		if used == corev1.UniqueVolumeName("kubernetes.io/csi/"+driver+"^"+handle) {
			return volumes.InUse
		}
	}
	return volumes.LetGo
}

func (p *pass) secrets(ctx context.Context, ref *corev1.SecretReference) (map[string]string, error) {
	if ref == nil {
		return nil, nil
	}
	return p.Secrets.Secret(ctx, ref.Namespace, ref.Name)
}

// problem words an error for the status. It keeps the time of the same problem,
// so that a retry that fails alike changes nothing.
func (p *pass) problem(err error, before *storagev1.VolumeError) *storagev1.VolumeError {
	message := status.Convert(err).Message()
	if _, coded := status.FromError(err); !coded {
		message = err.Error()
	}
	if before != nil && before.Message == message {
		return before
	}
	return &storagev1.VolumeError{Time: metav1.NewTime(p.Clock.Now().Truncate(1e9)), Message: message}
}

// fail publishes why it did not work. A refusal is said there and nowhere else.
func (p *pass) fail(ctx context.Context, seen piece, err error) error {
	published := client.IgnoreNotFound(p.apply.Status(ctx, p.attachment, seen))
	if p.refused = refusal(err); p.refused {
		return published
	}
	return errors.Join(err, published)
}

// refusal tells an answer that time or a person will change from a failure.
func refusal(err error) bool {
	return slices.Contains([]codes.Code{codes.FailedPrecondition, codes.Unavailable}, status.Code(err))
}
