//go:build integration

package integration

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// class makes a StorageClass of the CephFS driver.
func (s shares) class(name, fsName string) {
	s.t.Helper()
	s.create(&storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: csi.CephFSDriver(namespace), AllowVolumeExpansion: ptr.To(true),
		Parameters: map[string]string{
			csi.ParamClusterID: namespace, csi.ParamFSName: fsName,
			csi.ParamProvisionerSecretName: csi.CephFSProvisionerSecret, csi.ParamProvisionerSecretSpace: namespace,
			csi.ParamControllerExpandName: csi.CephFSProvisionerSecret, csi.ParamControllerExpandSpace: namespace,
			csi.ParamNodeStageName: csi.CephFSNodeSecret, csi.ParamNodeStageSpace: namespace,
		},
	})
}

func (s shares) claim(name, class string, source *corev1.TypedLocalObjectReference) *corev1.PersistentVolumeClaim {
	s.t.Helper()
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Annotations: map[string]string{
			// The controller-manager, which is not here, would say so.
			"volume.kubernetes.io/storage-provisioner": csi.CephFSDriver(namespace),
		}},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, DataSource: source,
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("64Mi")}},
		},
	}
	s.create(claim)
	return claim
}

// bind waits for the volume of a claim and binds them, in place of the
// controller-manager.
func (s shares) bind(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	s.t.Helper()
	var volume corev1.PersistentVolume
	s.await("volume of "+claim.Name, func() error {
		return s.kube.Get(s.t.Context(), client.ObjectKey{Name: "pvc-" + string(claim.UID)}, &volume)
	})
	claim.Spec.VolumeName = volume.Name
	if err := s.kube.Update(s.t.Context(), claim); err != nil {
		s.t.Fatal(err)
	}
	claim.Status.Phase, claim.Status.Capacity, claim.Status.AccessModes = corev1.ClaimBound, volume.Spec.Capacity, volume.Spec.AccessModes
	if err := s.kube.Status().Update(s.t.Context(), claim); err != nil {
		s.t.Fatal(err)
	}
	return &volume
}

// claimsAreServed goes the way of users: through the API server.
func claimsAreServed(r *rig) {
	s, ctx := r.shares(), r.t.Context()
	s.class("cephfs", fsName)
	s.class("typo", "yourfs")
	claim := s.claim("shared-data", "cephfs", nil)
	volume := s.bind(claim)
	if got := volume.Spec.CSI; got.Driver != csi.CephFSDriver(namespace) || got.FSType != "" || got.VolumeAttributes[csi.AttributeSubvolumePath] == "" ||
		volume.Spec.Capacity.Storage().String() != "64Mi" {
		r.t.Errorf("volume %+v", volume.Spec)
	}
	s.expand(claim, "128Mi")
	if err := s.kube.Get(ctx, client.ObjectKeyFromObject(volume), volume); err != nil || volume.Spec.Capacity.Storage().String() != "128Mi" {
		r.t.Errorf("volume after expansion: %v, %v", volume.Spec.Capacity, err)
	}
	small := s.claim("too-small", "cephfs", &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: claim.Name})
	s.awaitEvent(small, "shared-data has 128Mi; ask for at least as much")
	s.awaitEvent(s.claim("lost", "typo", nil), "`fsName`: \"yourfs\": no such file system; cluster rook-ceph has myfs")
}

func (s shares) expand(claim *corev1.PersistentVolumeClaim, size string) {
	s.t.Helper()
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse(size)
	if err := s.kube.Update(s.t.Context(), claim); err != nil {
		s.t.Fatal(err)
	}
	s.await("expansion of "+claim.Name, func() error {
		if err := s.kube.Get(s.t.Context(), client.ObjectKeyFromObject(claim), claim); err != nil {
			return err
		}
		if got := claim.Status.Capacity.Storage().String(); got != size {
			return say("capacity is %s", got)
		}
		return nil
	})
}

func (s shares) awaitEvent(claim *corev1.PersistentVolumeClaim, words string) {
	s.t.Helper()
	s.await("event of "+claim.Name, func() error {
		var list corev1.EventList
		if err := s.kube.List(s.t.Context(), &list, client.InNamespace(namespace)); err != nil {
			return err
		}
		var said []string
		for i := range list.Items {
			if list.Items[i].InvolvedObject.UID == claim.UID {
				said = append(said, list.Items[i].Message)
			}
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, words) {
			return say("events say %q", all)
		}
		return nil
	})
}
