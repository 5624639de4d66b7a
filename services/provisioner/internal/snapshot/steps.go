package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// What the snapshot-controller and the sidecar agree on.
const (
	// Finalizer keeps a content until its snapshot is gone.
	Finalizer = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection"
	// annotationDeleted is put on a content whose VolumeSnapshot goes.
	annotationDeleted     = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"
	annotationSecretName  = "snapshot.storage.kubernetes.io/deletion-secret-name"
	annotationSecretSpace = "snapshot.storage.kubernetes.io/deletion-secret-namespace"
	namePrefix            = "snapshot-"
	paramSecretName       = csi.ParamPrefix + "snapshotter-secret-name"
	paramSecretSpace      = csi.ParamPrefix + "snapshotter-secret-namespace"
)

var errNoClass = errors.New("the VolumeSnapshotContent names no class")

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	content *snapshotv1.VolumeSnapshotContent
	driver  Snapshots
	apply   apply.Applier
}

// settled tells whether there is nothing to do: the snapshot is there and said to
// be, or the snapshot-controller has not said yet that it may go.
func settled(content *snapshotv1.VolumeSnapshotContent) bool {
	if content.DeletionTimestamp.IsZero() {
		seen := content.Status
		return seen != nil && seen.SnapshotHandle != nil && ptr.Deref(seen.ReadyToUse, false) && seen.Error == nil
	}
	unbound := content.Spec.Source.SnapshotHandle != nil && content.Spec.VolumeSnapshotRef.UID == ""
	_, goes := content.Annotations[annotationDeleted]
	return !goes && !unbound
}

// take makes the snapshot exist, and says so.
func (p *pass) take(ctx context.Context) error {
	if handle := p.content.Spec.Source.SnapshotHandle; handle != nil {
		return p.apply.Status(ctx, p.content, snapshotv1.VolumeSnapshotContentStatus{SnapshotHandle: handle, ReadyToUse: ptr.To(true)})
	}
	made, err := p.create(ctx)
	if err != nil {
		return errors.Join(err, p.fail(ctx, err))
	}
	err = p.apply.Status(ctx, p.content, snapshotv1.VolumeSnapshotContentStatus{
		SnapshotHandle: ptr.To(made.GetSnapshotId()), ReadyToUse: ptr.To(made.GetReadyToUse()),
		CreationTime: ptr.To(made.GetCreationTime().AsTime().UnixNano()), RestoreSize: ptr.To(made.GetSizeBytes()),
	})
	if err == nil {
		ctrl.LoggerFrom(ctx).Info("snapshot taken", "content", p.content.Name, "volume", made.GetSourceVolumeId())
	}
	return err
}

func (p *pass) create(ctx context.Context) (*csipb.Snapshot, error) {
	spec := p.content.Spec
	if spec.VolumeSnapshotClassName == nil {
		return nil, errNoClass
	}
	var class snapshotv1.VolumeSnapshotClass
	if err := p.Live.Get(ctx, client.ObjectKey{Name: *spec.VolumeSnapshotClassName}, &class); err != nil {
		return nil, fmt.Errorf("read VolumeSnapshotClass %s: %w", *spec.VolumeSnapshotClassName, err)
	}
	secrets, err := p.secrets(ctx, p.expand(class.Parameters[paramSecretSpace]), p.expand(class.Parameters[paramSecretName]))
	if err != nil {
		return nil, err
	}
	parameters := map[string]string{}
	for name, value := range class.Parameters {
		if !strings.HasPrefix(name, csi.ParamPrefix) {
			parameters[name] = value
		}
	}
	response, err := p.driver.CreateSnapshot(ctx, &csipb.CreateSnapshotRequest{
		Name:           p.name(),
		SourceVolumeId: ptr.Deref(spec.Source.VolumeHandle, ""), Parameters: parameters, Secrets: secrets,
	})
	return response.GetSnapshot(), err
}

// name is that of the request, the same for every try.
func (p *pass) name() string { return namePrefix + string(p.content.Spec.VolumeSnapshotRef.UID) }

// expand fills in what the name of a Secret may refer to.
func (p *pass) expand(template string) string {
	ref := p.content.Spec.VolumeSnapshotRef
	return os.Expand(template, func(token string) string {
		switch token {
		case "volumesnapshotcontent.name":
			return p.content.Name
		case "volumesnapshot.name":
			return ref.Name
		case "volumesnapshot.namespace":
			return ref.Namespace
		}
		return ""
	})
}

// secrets reads a Secret; without one the controller service uses the
// cluster's own.
func (p *pass) secrets(ctx context.Context, namespace, name string) (map[string]string, error) {
	if namespace == "" || name == "" {
		return nil, nil
	}
	return p.Secrets.Secret(ctx, namespace, name)
}

// problem words an error for the status. It keeps the time of the same problem,
// so that a retry that fails alike changes nothing.
func (p *pass) problem(err error) *snapshotv1.VolumeSnapshotError {
	message := err.Error()
	if said, coded := status.FromError(err); coded {
		message = said.Message()
	}
	if before := p.content.Status; before != nil && before.Error != nil && ptr.Deref(before.Error.Message, "") == message {
		return before.Error
	}
	now := metav1.NewTime(p.Clock.Now().Truncate(1e9))
	return &snapshotv1.VolumeSnapshotError{Time: &now, Message: &message}
}

// remove deletes the snapshot when its VolumeSnapshot goes, unless it is to be
// retained, and lets the content go.
func (p *pass) remove(ctx context.Context) error {
	if p.content.Spec.DeletionPolicy == snapshotv1.VolumeSnapshotContentDelete {
		if err := p.drop(ctx); err != nil {
			return errors.Join(err, p.fail(ctx, err))
		}
	}
	return p.apply.RemoveFinalizer(ctx, p.content, Finalizer)
}

// fail adds an error to the status that there is.
func (p *pass) fail(ctx context.Context, err error) error {
	piece := snapshotv1.VolumeSnapshotContentStatus{ReadyToUse: ptr.To(false)}
	if p.content.Status != nil {
		piece = *p.content.Status.DeepCopy()
	}
	piece.Error = p.problem(err)
	return p.apply.Status(ctx, p.content, piece)
}

// drop deletes the snapshot, also one that was taken and not written down any more.
func (p *pass) drop(ctx context.Context) error {
	secrets, err := p.secrets(ctx, p.content.Annotations[annotationSecretSpace], p.content.Annotations[annotationSecretName])
	if err != nil {
		return err
	}
	handle, err := p.handle(ctx, secrets)
	if err != nil || handle == "" {
		return err
	}
	_, err = p.driver.DeleteSnapshot(ctx, &csipb.DeleteSnapshotRequest{SnapshotId: handle, Secrets: secrets})
	return err
}

// handle is that of the snapshot, "" if there is none.
func (p *pass) handle(ctx context.Context, secrets map[string]string) (string, error) {
	source := p.content.Spec.Source
	switch {
	case p.content.Status != nil && p.content.Status.SnapshotHandle != nil:
		return *p.content.Status.SnapshotHandle, nil
	case source.SnapshotHandle != nil:
		return *source.SnapshotHandle, nil
	case source.VolumeHandle != nil:
		return p.driver.FindSnapshot(ctx, *source.VolumeHandle, p.name(), secrets)
	}
	return "", nil
}
