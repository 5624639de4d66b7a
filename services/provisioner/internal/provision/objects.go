package provision

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// errUnsupported is returned for claims that this driver cannot serve.
var errUnsupported = errors.New("claim is not supported")

// createRequest turns a claim and its class into a CSI request.
func createRequest(
	volume string, claim *corev1.PersistentVolumeClaim, parameters map[string]string, secrets map[string]string,
) (*csipb.CreateVolumeRequest, error) {
	if claim.Spec.Selector != nil {
		return nil, fmt.Errorf("%w: `spec.selector` cannot be used with dynamic provisioning; remove it", errUnsupported)
	}
	capabilities, err := capabilities(claim, parameters)
	if err != nil {
		return nil, err
	}
	capacity := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	limit := claim.Spec.Resources.Limits[corev1.ResourceStorage]
	passed := map[string]string{
		csi.AttributePVCName: claim.Name, csi.AttributePVCNamespace: claim.Namespace, csi.AttributePVName: volume,
	}
	for name, value := range parameters {
		if !strings.HasPrefix(name, csi.ParamPrefix) {
			passed[name] = value
		}
	}
	return &csipb.CreateVolumeRequest{
		Name:               volume,
		CapacityRange:      &csipb.CapacityRange{RequiredBytes: capacity.Value(), LimitBytes: limit.Value()},
		VolumeCapabilities: capabilities,
		Parameters:         passed,
		Secrets:            secrets,
	}, nil
}

func capabilities(claim *corev1.PersistentVolumeClaim, parameters map[string]string) ([]*csipb.VolumeCapability, error) {
	if len(claim.Spec.AccessModes) == 0 {
		return nil, fmt.Errorf("%w: `spec.accessModes` is empty", errUnsupported)
	}
	var list []*csipb.VolumeCapability
	for _, mode := range claim.Spec.AccessModes {
		access, err := accessMode(mode)
		if err != nil {
			return nil, err
		}
		list = append(list, Capability(claim.Spec.VolumeMode, access, fsType(claim.Spec.VolumeMode, parameters), nil))
	}
	return list, nil
}

// Capability words one use of a volume.
func Capability(
	mode *corev1.PersistentVolumeMode, access csipb.VolumeCapability_AccessMode_Mode, fsType string, flags []string,
) *csipb.VolumeCapability {
	capability := &csipb.VolumeCapability{AccessMode: &csipb.VolumeCapability_AccessMode{Mode: access}}
	if isBlock(mode) {
		capability.AccessType = &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}}
		return capability
	}
	capability.AccessType = &csipb.VolumeCapability_Mount{
		Mount: &csipb.VolumeCapability_MountVolume{FsType: fsType, MountFlags: flags},
	}
	return capability
}

// AccessMode is the CSI word for the access modes of a PersistentVolume, the
// widest first.
func AccessMode(modes []corev1.PersistentVolumeAccessMode) (csipb.VolumeCapability_AccessMode_Mode, error) {
	for _, wide := range []corev1.PersistentVolumeAccessMode{
		corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod, corev1.ReadOnlyMany,
	} {
		for _, mode := range modes {
			if mode == wide {
				return accessMode(mode)
			}
		}
	}
	return 0, fmt.Errorf("%w: no known access mode", errUnsupported)
}

func accessMode(mode corev1.PersistentVolumeAccessMode) (csipb.VolumeCapability_AccessMode_Mode, error) {
	switch mode {
	case corev1.ReadWriteOnce:
		return csipb.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER, nil
	case corev1.ReadWriteOncePod:
		return csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER, nil
	case corev1.ReadOnlyMany:
		return csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY, nil
	case corev1.ReadWriteMany:
		return csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, nil
	}
	return 0, fmt.Errorf("%w: access mode %q", errUnsupported, mode)
}

func isBlock(mode *corev1.PersistentVolumeMode) bool {
	return mode != nil && *mode == corev1.PersistentVolumeBlock
}

func fsType(mode *corev1.PersistentVolumeMode, parameters map[string]string) string {
	if isBlock(mode) {
		return ""
	}
	return parameters[csi.ParamFSType]
}

// persistentVolume writes down a volume that was made.
func persistentVolume(
	name, driver, identity string, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass,
	parameters map[string]string, refs references, made *csipb.Volume,
) *corev1.PersistentVolume {
	attributes := map[string]string{csi.AttributeProvisionerID: identity}
	maps.Copy(attributes, made.GetVolumeContext())
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:  claim.Spec.AccessModes,
			MountOptions: class.MountOptions,
			VolumeMode:   claim.Spec.VolumeMode,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: *resource.NewQuantity(made.GetCapacityBytes(), resource.BinarySI),
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver:                     driver,
				VolumeHandle:               made.GetVolumeId(),
				FSType:                     fsType(claim.Spec.VolumeMode, parameters),
				VolumeAttributes:           attributes,
				ControllerPublishSecretRef: refs.publish,
				NodeStageSecretRef:         refs.stage,
				NodePublishSecretRef:       refs.nodePublish,
				ControllerExpandSecretRef:  refs.expand,
				NodeExpandSecretRef:        refs.nodeExpand,
			}},
		},
	}
	if class.ReclaimPolicy != nil {
		volume.Spec.PersistentVolumeReclaimPolicy = *class.ReclaimPolicy
	}
	if refs.provisioner != nil {
		metav1.SetMetaDataAnnotation(&volume.ObjectMeta, csi.AnnotationDeletionSecretName, refs.provisioner.Name)
		metav1.SetMetaDataAnnotation(&volume.ObjectMeta, csi.AnnotationDeletionSecretSpace, refs.provisioner.Namespace)
	}
	return volume
}
