package provision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/content"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/provision"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const driver = "rook-ceph.rbd.csi.ceph.com"

// service writes down what it is asked.
type service struct {
	created *csipb.CreateVolumeRequest
	deleted *csipb.DeleteVolumeRequest
	fail    error
	read    []string
	// resumed is what was to be ended, and begun tells that there is such.
	resumed *csipb.CreateVolumeRequest
	begun   bool
}

func (s *service) ResumeVolume(ctx context.Context, r *csipb.CreateVolumeRequest) (*csipb.CreateVolumeResponse, error) {
	s.resumed = r
	if !s.begun {
		return nil, status.Error(codes.NotFound, "nothing was begun")
	}
	response, err := s.CreateVolume(ctx, r)
	s.created = nil
	return response, err
}

func (s *service) CreateVolume(_ context.Context, r *csipb.CreateVolumeRequest) (*csipb.CreateVolumeResponse, error) {
	s.created = r
	if s.fail != nil {
		return nil, s.fail
	}
	return &csipb.CreateVolumeResponse{Volume: &csipb.Volume{
		VolumeId: "handle", CapacityBytes: 2 << 30, VolumeContext: map[string]string{"pool": "replicapool", "imageName": "csi-vol-1"},
	}}, nil
}

func (s *service) DeleteVolume(_ context.Context, r *csipb.DeleteVolumeRequest) (*csipb.DeleteVolumeResponse, error) {
	s.deleted = r
	return &csipb.DeleteVolumeResponse{}, s.fail
}

func (s *service) Secret(_ context.Context, namespace, name string) (map[string]string, error) {
	s.read = append(s.read, namespace+"/"+name)
	return map[string]string{"userID": "u", "userKey": "k"}, nil
}

func options(edit ...func(*controller.ProvisionOptions)) controller.ProvisionOptions {
	o := controller.ProvisionOptions{
		PVName: "pvc-1",
		StorageClass: &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: "ceph-block"}, Provisioner: driver, MountOptions: []string{"noatime"},
			ReclaimPolicy: ptr.To(corev1.PersistentVolumeReclaimRetain),
			Parameters: map[string]string{
				"clusterID": "rook-ceph", "pool": "replicapool", "imageFeatures": "layering",
				"csi.storage.k8s.io/fstype":                             "xfs",
				"csi.storage.k8s.io/provisioner-secret-name":            "rook-csi-rbd-provisioner",
				"csi.storage.k8s.io/provisioner-secret-namespace":       "rook-ceph",
				"csi.storage.k8s.io/node-stage-secret-name":             "${pvc.name}-${pvc.annotations['team']}",
				"csi.storage.k8s.io/node-stage-secret-namespace":        "${pvc.namespace}",
				"csi.storage.k8s.io/controller-expand-secret-name":      "expand",
				"csi.storage.k8s.io/controller-expand-secret-namespace": "rook-ceph",
			},
		},
		PVC: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "apps", Annotations: map[string]string{"team": "red"}},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("2Gi")}},
			},
		},
	}
	for _, e := range edit {
		e(&o)
	}
	return o
}

func parameter(name, value string) func(*controller.ProvisionOptions) {
	return func(o *controller.ProvisionOptions) { o.StorageClass.Parameters[name] = value }
}

func TestProvision_writes_the_volume_as_the_sidecar_does(t *testing.T) {
	t.Parallel()
	s := &service{}
	p := &provision.Provisioner{Driver: driver, Identity: "me", Volumes: s, Secrets: s}
	got, state, err := p.Provision(t.Context(), options())
	if err != nil || state != controller.ProvisioningFinished {
		t.Fatal(state, err)
	}
	want := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-1", Annotations: map[string]string{
			"volume.kubernetes.io/provisioner-deletion-secret-name":      "rook-csi-rbd-provisioner",
			"volume.kubernetes.io/provisioner-deletion-secret-namespace": "rook-ceph",
		}},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("2Gi")},
			MountOptions:                  []string{"noatime"},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver: driver, VolumeHandle: "handle", FSType: "xfs",
				VolumeAttributes: map[string]string{
					"pool": "replicapool", "imageName": "csi-vol-1", "storage.kubernetes.io/csiProvisionerIdentity": "me",
				},
				NodeStageSecretRef:        &corev1.SecretReference{Name: "data-red", Namespace: "apps"},
				ControllerExpandSecretRef: &corev1.SecretReference{Name: "expand", Namespace: "rook-ceph"},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"rook-ceph/rook-csi-rbd-provisioner"}, s.read); diff != "" {
		t.Errorf("Secrets: want -, got +:\n%s", diff)
	}
	parameters := map[string]string{
		"clusterID": "rook-ceph", "pool": "replicapool", "imageFeatures": "layering",
		"csi.storage.k8s.io/pvc/name": "data", "csi.storage.k8s.io/pvc/namespace": "apps", "csi.storage.k8s.io/pv/name": "pvc-1",
	}
	if diff := cmp.Diff(parameters, s.created.GetParameters()); diff != "" {
		t.Errorf("parameters: want -, got +:\n%s", diff)
	}
}

func TestProvision_refuses(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*controller.ProvisionOptions){
		"half_a_Secret":        parameter("csi.storage.k8s.io/node-stage-secret-namespace", ""),
		"an_unknown_token":     parameter("csi.storage.k8s.io/node-stage-secret-name", "${pod.name}"),
		"a_missing_annotation": parameter("csi.storage.k8s.io/node-stage-secret-name", "${pvc.annotations['none']}"),
		"a_name_that_is_none":  parameter("csi.storage.k8s.io/node-stage-secret-name", "No Name"),
		"a_selector":           func(o *controller.ProvisionOptions) { o.PVC.Spec.Selector = &metav1.LabelSelector{} },
		"a_data_source": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "VolumeSnapshot"}
		},
		"no_access_mode": func(o *controller.ProvisionOptions) { o.PVC.Spec.AccessModes = nil },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{}
			p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s}
			_, state, err := p.Provision(t.Context(), options(edit))
			if status.Code(err) != codes.InvalidArgument || state != controller.ProvisioningFinished || s.created != nil {
				t.Errorf("state %s, error %v, asked %v", state, err, s.created)
			}
		})
	}
}

// sources fails to find a data source.
type sources struct{ err error }

func (s sources) Of(context.Context, *corev1.PersistentVolumeClaim, string) (*csipb.VolumeContentSource, error) {
	return nil, s.err
}

func TestProvision_tries_again_soon_when_a_data_source_is_late(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err   error
		code  codes.Code
		state controller.ProvisioningState
	}{
		{fmt.Errorf("%w: VolumeSnapshot s is not ready to use", content.ErrNotReady), codes.Unknown, controller.ProvisioningNoChange},
		{apierrors.NewNotFound(corev1.Resource("persistentvolumeclaims"), "source"), codes.Unknown, controller.ProvisioningNoChange},
		{fmt.Errorf("%w: it is of another driver", content.ErrUnusable), codes.InvalidArgument, controller.ProvisioningFinished},
	} {
		s := &service{}
		p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s, Sources: sources{tc.err}}
		_, state, err := p.Provision(t.Context(), options(func(o *controller.ProvisionOptions) {
			o.PVC.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "source"}
		}))
		if status.Code(err) != tc.code || state != tc.state || s.created != nil {
			t.Errorf("%v: state %s, error %v, asked %v", tc.err, state, err, s.created)
		}
	}
}

func TestProvision_ends_what_was_begun_from_a_source_that_is_gone(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("%w: PersistentVolumeClaim source does not exist", content.ErrGone)
	for name, tc := range map[string]struct {
		begun bool
		fail  error
		state controller.ProvisioningState
		want  error
	}{
		"nothing_was_begun":  {false, nil, controller.ProvisioningFinished, gone},
		"it_is_complete":     {true, nil, controller.ProvisioningFinished, nil},
		"it_is_still_copied": {true, status.Error(codes.Aborted, "copying"), controller.ProvisioningInBackground, status.Error(codes.Aborted, "copying")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{begun: tc.begun, fail: tc.fail}
			p := &provision.Provisioner{Driver: driver, Volumes: s, Copies: s, Secrets: s, Sources: sources{gone}}
			volume, state, err := p.Provision(t.Context(), options(func(o *controller.ProvisionOptions) {
				o.PVC.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "source"}
			}))
			if state != tc.state || status.Code(err) != status.Code(tc.want) || (volume != nil) != (tc.want == nil) || s.created != nil {
				t.Errorf("state %s, error %v, volume %v, asked %v", state, err, volume, s.created)
			}
			if s.resumed.GetName() != "pvc-1" || s.resumed.GetVolumeContentSource() != nil {
				t.Errorf("resumed %v", s.resumed)
			}
			if !tc.begun && !errors.Is(err, content.ErrGone) {
				t.Errorf("want the source named, got %v", err)
			}
		})
	}
}

func TestProvision_reads_the_oldest_parameters(t *testing.T) {
	t.Parallel()
	s := &service{}
	p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s}
	got, _, err := p.Provision(t.Context(), options(func(o *controller.ProvisionOptions) {
		o.StorageClass.Parameters = map[string]string{
			"clusterID": "rook-ceph", "pool": "p", "fstype": "ext4",
			"csiProvisionerSecretName": "old", "csiProvisionerSecretNamespace": "ns",
		}
	}))
	if err != nil || got.Spec.CSI.FSType != "ext4" {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff([]string{"ns/old"}, s.read); diff != "" {
		t.Errorf("Secrets: want -, got +:\n%s", diff)
	}
}

func TestProvision_maps_access_modes_and_raw_block(t *testing.T) {
	t.Parallel()
	s := &service{}
	p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s}
	got, _, err := p.Provision(t.Context(), options(func(o *controller.ProvisionOptions) {
		o.PVC.Spec.VolumeMode = ptr.To(corev1.PersistentVolumeBlock)
		o.PVC.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany, corev1.ReadWriteOncePod}
	}))
	if err != nil || got.Spec.CSI.FSType != "" {
		t.Fatal(got, err)
	}
	var modes []csipb.VolumeCapability_AccessMode_Mode
	for _, capability := range s.created.GetVolumeCapabilities() {
		if capability.GetBlock() == nil {
			t.Errorf("not a block volume: %v", capability)
		}
		modes = append(modes, capability.GetAccessMode().GetMode())
	}
	want := []csipb.VolumeCapability_AccessMode_Mode{
		csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER,
	}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("modes: want -, got +:\n%s", diff)
	}
}

func TestProvision_keeps_a_claim_in_progress_while_the_outcome_is_open(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]controller.ProvisioningState{
		codes.Unavailable: controller.ProvisioningInBackground, codes.DeadlineExceeded: controller.ProvisioningInBackground,
		codes.Aborted: controller.ProvisioningInBackground, codes.Internal: controller.ProvisioningInBackground,
		codes.InvalidArgument: controller.ProvisioningFinished, codes.FailedPrecondition: controller.ProvisioningFinished,
		codes.AlreadyExists: controller.ProvisioningFinished,
	} {
		s := &service{fail: status.Error(code, "no")}
		p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s}
		_, state, err := p.Provision(t.Context(), options())
		if state != want || err == nil || err.Error() != "no" || status.Code(err) != code {
			t.Errorf("%s: want %s, got %s, %v", code, want, state, err)
		}
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	volume := func() *corev1.PersistentVolume {
		s := &service{}
		p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s}
		made, _, err := p.Provision(t.Context(), options())
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	attached := &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: storagev1.VolumeAttachmentSpec{
		Attacher: driver, NodeName: "n1", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: ptr.To("pvc-1")}}}

	s := &service{}
	p := &provision.Provisioner{Driver: driver, Volumes: s, Secrets: s, Attachments: testenv.Fake(t, attached).Build()}
	if err := p.Delete(t.Context(), volume()); err == nil || s.deleted != nil {
		t.Errorf("a volume that is attached was deleted: %v", err)
	}
	p.Attachments = testenv.Fake(t).Build()
	if err := p.Delete(t.Context(), volume()); err != nil || s.deleted.GetVolumeId() != "handle" || s.deleted.GetSecrets()["userID"] != "u" {
		t.Errorf("asked %v, %v", s.deleted, err)
	}
	foreign := volume()
	foreign.Spec.CSI.Driver = "other"
	var ignored *controller.IgnoredError
	if err := p.Delete(t.Context(), foreign); !errors.As(err, &ignored) {
		t.Errorf("want IgnoredError, got %v", err)
	}
}
