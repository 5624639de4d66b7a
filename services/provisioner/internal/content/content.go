// Package content finds what a new claim is to be filled with: another claim's
// volume, or a snapshot. It reads only.
package content

import (
	"context"
	"errors"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var (
	// ErrUnusable is returned for a data source that this driver cannot use.
	ErrUnusable = errors.New("data source cannot be used")
	// ErrNotReady is returned for a data source that may be usable later.
	ErrNotReady = errors.New("data source is not ready")
	// ErrGone is returned for a data source that is not there, or not for long: what was
	// begun from it can be ended, and nothing can be begun.
	ErrGone = errors.New("data source is not there")
)

// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims;persistentvolumes,verbs=get
// +kubebuilder:rbac:groups=snapshot.storage.k8s.io,resources=volumesnapshots;volumesnapshotcontents,verbs=get

// Sources finds data sources.
type Sources struct {
	// Live reads from the API server: each object is read once per claim.
	Live client.Reader
}

// Of returns the data source of a claim for a driver; nil if it has none.
func (s Sources) Of(ctx context.Context, claim *corev1.PersistentVolumeClaim, driver string) (*csipb.VolumeContentSource, error) {
	kind, name, group := "", "", ""
	switch source, ref := claim.Spec.DataSource, claim.Spec.DataSourceRef; {
	case ref != nil && ref.Namespace != nil && *ref.Namespace != claim.Namespace:
		return nil, fmt.Errorf("%w: `spec.dataSourceRef.namespace`: it must be in the claim's own namespace", ErrUnusable)
	case ref != nil:
		kind, name, group = ref.Kind, ref.Name, value(ref.APIGroup)
	case source != nil:
		kind, name, group = source.Kind, source.Name, value(source.APIGroup)
	default:
		return nil, nil
	}
	key := client.ObjectKey{Namespace: claim.Namespace, Name: name}
	switch {
	case kind == "PersistentVolumeClaim" && group == "":
		return s.volume(ctx, claim, key, driver)
	case kind == "VolumeSnapshot" && group == snapshotv1.GroupName:
		return s.snapshot(ctx, claim, key, driver)
	}
	return nil, fmt.Errorf("%w: `spec.dataSource.kind`: %q is neither PersistentVolumeClaim nor VolumeSnapshot", ErrUnusable, kind)
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// read reads the object that a claim names as its source.
func (s Sources) read(ctx context.Context, key client.ObjectKey, into client.Object, kind string) error {
	err := s.Live.Get(ctx, key, into)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: %s %s does not exist; create it or delete this claim: %w", ErrGone, kind, key.Name, err)
	case meta.IsNoMatchError(err):
		return fmt.Errorf("%w: this cluster does not know the kind %s; install the CRDs and the controller of external-snapshotter", ErrNotReady, kind)
	case err != nil:
		return fmt.Errorf("read data source %s: %w", key, err)
	case !into.GetDeletionTimestamp().IsZero():
		return fmt.Errorf("%w: %s %s is being deleted; delete this claim, too", ErrGone, kind, key.Name)
	}
	return nil
}

// volume finds the volume of another claim.
func (s Sources) volume(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, key client.ObjectKey, driver string,
) (*csipb.VolumeContentSource, error) {
	var source corev1.PersistentVolumeClaim
	if err := s.read(ctx, key, &source, "PersistentVolumeClaim"); err != nil {
		return nil, err
	}
	if source.Status.Phase != corev1.ClaimBound {
		return nil, fmt.Errorf("%w: PersistentVolumeClaim %s is not bound", ErrNotReady, key.Name)
	}
	var volume corev1.PersistentVolume
	if err := s.Live.Get(ctx, client.ObjectKey{Name: source.Spec.VolumeName}, &volume); err != nil {
		return nil, fmt.Errorf("read volume of data source %s: %w", key, err)
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != driver || volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID != source.UID {
		return nil, fmt.Errorf("%w: PersistentVolumeClaim %s has a volume of another driver", ErrUnusable, key.Name)
	}
	if err := holds(claim, *volume.Spec.Capacity.Storage(), key.Name); err != nil {
		return nil, err
	}
	return &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Volume{
		Volume: &csipb.VolumeContentSource_VolumeSource{VolumeId: volume.Spec.CSI.VolumeHandle},
	}}, nil
}

// snapshot finds what a VolumeSnapshot is bound to.
func (s Sources) snapshot(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, key client.ObjectKey, driver string,
) (*csipb.VolumeContentSource, error) {
	var snapshot snapshotv1.VolumeSnapshot
	if err := s.read(ctx, key, &snapshot, "VolumeSnapshot"); err != nil {
		return nil, err
	}
	state := snapshot.Status
	if !ready(&snapshot) {
		return nil, fmt.Errorf("%w: VolumeSnapshot %s is not ready to use", ErrNotReady, key.Name)
	}
	var content snapshotv1.VolumeSnapshotContent
	if err := s.Live.Get(ctx, client.ObjectKey{Name: *state.BoundVolumeSnapshotContentName}, &content); err != nil {
		return nil, fmt.Errorf("read content of data source %s: %w", key, err)
	}
	if !belongs(&content, &snapshot) {
		return nil, fmt.Errorf("%w: VolumeSnapshotContent %s belongs to another VolumeSnapshot", ErrUnusable, content.Name)
	}
	if content.Spec.Driver != driver {
		return nil, fmt.Errorf("%w: VolumeSnapshot %s is of another driver", ErrUnusable, key.Name)
	}
	if content.Status == nil || content.Status.SnapshotHandle == nil {
		return nil, fmt.Errorf("%w: VolumeSnapshot %s has no snapshot yet", ErrNotReady, key.Name)
	}
	if size := state.RestoreSize; size != nil {
		if err := holds(claim, *size, key.Name); err != nil {
			return nil, err
		}
	}
	return &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Snapshot{
		Snapshot: &csipb.VolumeContentSource_SnapshotSource{SnapshotId: *content.Status.SnapshotHandle},
	}}, nil
}

// ready tells whether a VolumeSnapshot has a content that can be restored.
func ready(snapshot *snapshotv1.VolumeSnapshot) bool {
	state := snapshot.Status
	return state != nil && value(state.BoundVolumeSnapshotContentName) != "" && state.ReadyToUse != nil && *state.ReadyToUse
}

// belongs tells whether two objects name each other: whoever may write a
// VolumeSnapshot must not get at the content of another.
func belongs(content *snapshotv1.VolumeSnapshotContent, snapshot *snapshotv1.VolumeSnapshot) bool {
	ref := content.Spec.VolumeSnapshotRef
	return ref.UID == snapshot.UID && ref.Namespace == snapshot.Namespace && ref.Name == snapshot.Name
}

// holds refuses a claim that is smaller than its source.
func holds(claim *corev1.PersistentVolumeClaim, size resource.Quantity, name string) error {
	if claim.Spec.Resources.Requests.Storage().Cmp(size) < 0 {
		return fmt.Errorf("%w: `spec.resources.requests.storage`: %s has %s; ask for at least as much", ErrUnusable, name, size.String())
	}
	return nil
}
