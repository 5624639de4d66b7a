package provision

import (
	"context"
	"errors"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/content"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// Volumes is the part of the CSI controller service that makes and deletes volumes.
type Volumes interface {
	CreateVolume(context.Context, *csipb.CreateVolumeRequest) (*csipb.CreateVolumeResponse, error)
	DeleteVolume(context.Context, *csipb.DeleteVolumeRequest) (*csipb.DeleteVolumeResponse, error)
}

// Copies is the part of the CSI controller service that fills volumes.
type Copies interface {
	// ResumeVolume goes on with what CreateVolume began for the same request,
	// codes.NotFound if it began nothing.
	ResumeVolume(context.Context, *csipb.CreateVolumeRequest) (*csipb.CreateVolumeResponse, error)
}

// Sources finds the data source of a claim, nil if it has none.
type Sources interface {
	Of(ctx context.Context, claim *corev1.PersistentVolumeClaim, driver string) (*csipb.VolumeContentSource, error)
}

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Provisioner implements what the provisioning library calls.
type Provisioner struct {
	// Driver is the name of the driver, which is the provisioner of the classes.
	Driver string
	// Identity tells the processes apart that made volumes.
	Identity string
	// Blocks tells whether the driver has raw block volumes.
	Blocks bool
	// FSType is what a volume is formatted with where the class names nothing;
	// empty for a driver that formats nothing.
	FSType  string
	Volumes Volumes
	// Sources finds what claims are to be filled with; nil for a driver that
	// makes empty volumes only.
	Sources Sources
	// Copies ends what was begun from a source that is gone; nil beside nil Sources.
	Copies  Copies
	Secrets Secrets
	// Attachments lists VolumeAttachments.
	Attachments client.Reader
}

var (
	_ controller.BlockProvisioner = (*Provisioner)(nil)

	// errAttached is returned for a volume that is still attached to a node.
	errAttached = errors.New("volume is still attached")
)

// SupportsBlock tells whether raw block volumes can be had.
func (p *Provisioner) SupportsBlock(context.Context) bool { return p.Blocks }

// Provision makes a volume for a claim.
func (p *Provisioner) Provision(
	ctx context.Context, options controller.ProvisionOptions,
) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	parameters := p.normalize(options.StorageClass.Parameters)
	refs, err := readReferences(parameters, options.PVName, options.PVC)
	if err != nil {
		return nil, controller.ProvisioningFinished, status.Error(codes.InvalidArgument, err.Error())
	}
	secrets, err := p.secrets(ctx, refs.provisioner)
	if err != nil {
		return nil, controller.ProvisioningNoChange, err
	}
	request, err := createRequest(options.PVName, options.PVC, parameters, secrets)
	if err != nil {
		return nil, controller.ProvisioningFinished, status.Error(codes.InvalidArgument, err.Error())
	}
	response, outcome, err := p.make(ctx, options.PVC, request)
	if err != nil {
		return nil, outcome, err
	}
	return persistentVolume(options.PVName, p.Driver, p.Identity, options.PVC, options.StorageClass, parameters, refs, response.GetVolume()),
		controller.ProvisioningFinished, nil
}

// make has the volume made, or ended when its source is gone meanwhile.
func (p *Provisioner) make(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, request *csipb.CreateVolumeRequest,
) (*csipb.CreateVolumeResponse, controller.ProvisioningState, error) {
	source, err := p.source(ctx, claim)
	if errors.Is(err, content.ErrUnusable) || errors.Is(err, errUnsupported) {
		return nil, controller.ProvisioningFinished, status.Error(codes.InvalidArgument, err.Error())
	}
	create := p.Volumes.CreateVolume
	gone := errors.Is(err, content.ErrGone)
	if gone {
		create = p.Copies.ResumeVolume
	} else if err != nil {
		return nil, controller.ProvisioningNoChange, err // the source may only be late, so it is tried again soon
	}
	request.VolumeContentSource = source
	response, failed := create(ctx, request)
	switch {
	case gone && status.Code(failed) == codes.NotFound:
		return nil, controller.ProvisioningFinished, err // nothing is left; the source may come yet, so it is tried again
	case failed != nil:
		return nil, state(failed), words(failed)
	}
	return response, controller.ProvisioningFinished, nil
}

// source finds what the claim is to be filled with.
func (p *Provisioner) source(ctx context.Context, claim *corev1.PersistentVolumeClaim) (*csipb.VolumeContentSource, error) {
	if claim.Spec.DataSource == nil && claim.Spec.DataSourceRef == nil {
		return nil, nil
	}
	if p.Sources == nil {
		return nil, fmt.Errorf("%w: `spec.dataSource` (snapshots and clones) is not supported yet", errUnsupported)
	}
	return p.Sources.Of(ctx, claim, p.Driver)
}

// secrets reads the Secret of the class. Without one the controller service uses
// the cluster's own.
func (p *Provisioner) secrets(ctx context.Context, ref *corev1.SecretReference) (map[string]string, error) {
	if ref == nil {
		return nil, nil
	}
	return p.Secrets.Secret(ctx, ref.Namespace, ref.Name)
}

// state tells whether a failed call may still have an effect.
func state(err error) controller.ProvisioningState {
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable, codes.Aborted, codes.ResourceExhausted, codes.Unknown, codes.Internal:
		return controller.ProvisioningInBackground
	}
	return controller.ProvisioningFinished
}

// worded keeps the code of an error for the library and shows people only the
// sentence.
type worded struct{ error }

func (w worded) Error() string              { return status.Convert(w.error).Message() }
func (w worded) Unwrap() error              { return w.error }
func (w worded) GRPCStatus() *status.Status { return status.Convert(w.error) }

func words(err error) error { return worded{err} }

// Delete removes what backs a released volume.
func (p *Provisioner) Delete(ctx context.Context, volume *corev1.PersistentVolume) error {
	source := volume.Spec.CSI
	if source == nil || source.Driver != p.Driver {
		return &controller.IgnoredError{Reason: "the volume belongs to another driver"}
	}
	if err := p.detached(ctx, volume); err != nil {
		return err
	}
	var ref *corev1.SecretReference
	if name := volume.Annotations[csi.AnnotationDeletionSecretName]; name != "" {
		ref = &corev1.SecretReference{Name: name, Namespace: volume.Annotations[csi.AnnotationDeletionSecretSpace]}
	}
	secrets, err := p.secrets(ctx, ref)
	if err != nil {
		return err
	}
	_, err = p.Volumes.DeleteVolume(ctx, &csipb.DeleteVolumeRequest{VolumeId: source.VolumeHandle, Secrets: secrets})
	if err != nil {
		return words(err)
	}
	return nil
}

// detached refuses while a VolumeAttachment of the volume exists.
func (p *Provisioner) detached(ctx context.Context, volume *corev1.PersistentVolume) error {
	var list storagev1.VolumeAttachmentList
	if err := p.Attachments.List(ctx, &list); err != nil {
		return fmt.Errorf("list VolumeAttachments: %w", err)
	}
	for i := range list.Items {
		if name := list.Items[i].Spec.Source.PersistentVolumeName; name != nil && *name == volume.Name {
			return fmt.Errorf("%w to node %s", errAttached, list.Items[i].Spec.NodeName)
		}
	}
	return nil
}
