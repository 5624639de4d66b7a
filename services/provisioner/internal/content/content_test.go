package content_test

import (
	"errors"
	"strings"
	"testing"

	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/content"
)

const driver = "rook-ceph.cephfs.csi.ceph.com"

// objects are a claim and what it may be filled with.
type objects struct {
	claim    *corev1.PersistentVolumeClaim
	source   *corev1.PersistentVolumeClaim
	volume   *corev1.PersistentVolume
	snapshot *snapshotv1.VolumeSnapshot
	content  *snapshotv1.VolumeSnapshotContent
}

func storage(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

func world() objects {
	return objects{
		claim: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "new", Namespace: "apps"},
			Spec:       corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: storage("2Gi")}},
		},
		source: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: "apps", UID: "old-1"},
			Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: "pvc-old"},
			Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
		},
		volume: &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "pvc-old"},
			Spec: corev1.PersistentVolumeSpec{
				Capacity: storage("1Gi"), ClaimRef: &corev1.ObjectReference{UID: "old-1"},
				PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: "volume"}},
			},
		},
		snapshot: &snapshotv1.VolumeSnapshot{
			ObjectMeta: metav1.ObjectMeta{Name: "snap", Namespace: "apps", UID: "snap-1"},
			Status: &snapshotv1.VolumeSnapshotStatus{
				BoundVolumeSnapshotContentName: ptr.To("content"), ReadyToUse: ptr.To(true), RestoreSize: ptr.To(resource.MustParse("1Gi")),
			},
		},
		content: &snapshotv1.VolumeSnapshotContent{
			ObjectMeta: metav1.ObjectMeta{Name: "content"},
			Spec: snapshotv1.VolumeSnapshotContentSpec{
				Driver: driver, VolumeSnapshotRef: corev1.ObjectReference{Namespace: "apps", Name: "snap", UID: "snap-1"},
			},
			Status: &snapshotv1.VolumeSnapshotContentStatus{SnapshotHandle: ptr.To("snapshot")},
		},
	}
}

func fromClaim(o objects) {
	o.claim.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "old"}
}

func fromSnapshot(o objects) {
	o.claim.Spec.DataSourceRef = &corev1.TypedObjectReference{
		APIGroup: ptr.To("snapshot.storage.k8s.io"), Kind: "VolumeSnapshot", Name: "snap"}
}

func TestOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edits    []func(objects)
		volume   string
		snapshot string
		err      error
	}{
		"nothing":               {nil, "", "", nil},
		"another_claim":         {[]func(objects){fromClaim}, "volume", "", nil},
		"a_snapshot":            {[]func(objects){fromSnapshot}, "", "snapshot", nil},
		"a_claim_not_bound_yet": {[]func(objects){fromClaim, func(o objects) { o.source.Status.Phase = corev1.ClaimPending }}, "", "", content.ErrNotReady},
		"a_claim_of_another_driver": {[]func(objects){fromClaim, func(o objects) { o.volume.Spec.CSI.Driver = "other" }},
			"", "", content.ErrUnusable},
		"a_volume_of_another_claim": {[]func(objects){fromClaim, func(o objects) { o.volume.Spec.ClaimRef.UID = "other" }},
			"", "", content.ErrUnusable},
		"a_larger_claim": {[]func(objects){fromClaim, func(o objects) { o.volume.Spec.Capacity = storage("3Gi") }},
			"", "", content.ErrUnusable},
		"a_larger_snapshot": {[]func(objects){fromSnapshot, func(o objects) { o.snapshot.Status.RestoreSize = ptr.To(resource.MustParse("3Gi")) }},
			"", "", content.ErrUnusable},
		"a_snapshot_not_ready": {[]func(objects){fromSnapshot, func(o objects) { o.snapshot.Status.ReadyToUse = ptr.To(false) }},
			"", "", content.ErrNotReady},
		"a_snapshot_of_another_driver": {[]func(objects){fromSnapshot, func(o objects) { o.content.Spec.Driver = "other" }},
			"", "", content.ErrUnusable},
		"the_content_of_another_snapshot": {[]func(objects){fromSnapshot, func(o objects) { o.content.Spec.VolumeSnapshotRef.UID = "other" }},
			"", "", content.ErrUnusable},
		"another_namespace": {[]func(objects){fromSnapshot, func(o objects) { o.claim.Spec.DataSourceRef.Namespace = ptr.To("secret") }},
			"", "", content.ErrUnusable},
		"an_unknown_kind": {[]func(objects){fromSnapshot, func(o objects) { o.claim.Spec.DataSourceRef.Kind = "Backup" }},
			"", "", content.ErrUnusable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := runtime.NewScheme()
			if err := errors.Join(clientgoscheme.AddToScheme(scheme), snapshotv1.AddToScheme(scheme)); err != nil {
				t.Fatal(err)
			}
			o := world()
			for _, edit := range tc.edits {
				edit(o)
			}
			c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(o.source, o.volume, o.snapshot, o.content).Build()
			got, err := content.Sources{Live: c}.Of(t.Context(), o.claim, driver)
			if !errors.Is(err, tc.err) || got.GetVolume().GetVolumeId() != tc.volume || got.GetSnapshot().GetSnapshotId() != tc.snapshot {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestOf_a_source_that_is_being_deleted_says_so(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	for name, from := range map[string]func(objects){"claim": fromClaim, "snapshot": fromSnapshot} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := runtime.NewScheme()
			if err := errors.Join(clientgoscheme.AddToScheme(scheme), snapshotv1.AddToScheme(scheme)); err != nil {
				t.Fatal(err)
			}
			o := world()
			from(o)
			for _, meta := range []*metav1.ObjectMeta{&o.source.ObjectMeta, &o.snapshot.ObjectMeta} {
				meta.DeletionTimestamp, meta.Finalizers = &now, []string{"example.com/held"}
			}
			c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(o.source, o.volume, o.snapshot, o.content).Build()
			_, err := content.Sources{Live: c}.Of(t.Context(), o.claim, driver)
			if !errors.Is(err, content.ErrGone) || !strings.Contains(err.Error(), "is being deleted") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOf_a_claim_that_does_not_exist_says_so(t *testing.T) {
	t.Parallel()
	o := world()
	fromClaim(o)
	_, err := content.Sources{Live: fake.NewClientBuilder().Build()}.Of(t.Context(), o.claim, driver)
	if !apierrors.IsNotFound(err) || !errors.Is(err, content.ErrGone) || !strings.Contains(err.Error(), "PersistentVolumeClaim old does not exist") {
		t.Errorf("got %v", err)
	}
}
