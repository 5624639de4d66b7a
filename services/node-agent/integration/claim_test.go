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
	return s.rig.claim(name, class, csi.CephFSDriver(namespace), func(spec *corev1.PersistentVolumeClaimSpec) {
		spec.AccessModes, spec.DataSource = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, source
	})
}

// claim makes a claim of 64 MiB of a class of the driver.
func (r *rig) claim(name, class, driver string, edit func(*corev1.PersistentVolumeClaimSpec)) *corev1.PersistentVolumeClaim {
	r.t.Helper()
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Annotations: map[string]string{
			// The controller-manager, which is not here, would say so.
			"volume.kubernetes.io/storage-provisioner": driver,
		}},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("64Mi")}},
		},
	}
	edit(&claim.Spec)
	r.create(claim)
	return claim
}

// bind waits for the volume of a claim and binds them, in place of the
// controller-manager.
func (r *rig) bind(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	r.t.Helper()
	var volume corev1.PersistentVolume
	r.await("volume of "+claim.Name, func() error {
		return r.kube.Get(r.t.Context(), client.ObjectKey{Name: "pvc-" + string(claim.UID)}, &volume)
	})
	claim.Spec.VolumeName = volume.Name
	if err := r.kube.Update(r.t.Context(), claim); err != nil {
		r.t.Fatal(err)
	}
	claim.Status.Phase, claim.Status.Capacity, claim.Status.AccessModes = corev1.ClaimBound, volume.Spec.Capacity, volume.Spec.AccessModes
	if err := r.kube.Status().Update(r.t.Context(), claim); err != nil {
		r.t.Fatal(err)
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

// ask asks for another size of a claim.
func (r *rig) ask(claim *corev1.PersistentVolumeClaim, size string) {
	r.t.Helper()
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse(size)
	if err := r.kube.Update(r.t.Context(), claim); err != nil {
		r.t.Fatal(err)
	}
}

func (s shares) expand(claim *corev1.PersistentVolumeClaim, size string) {
	s.t.Helper()
	s.ask(claim, size)
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

// claimWaitsForNode expands a claim twice. The kubelet, which is not here, ends the first
// expansion as it does on a node.
func claimWaitsForNode(r *rig) {
	ctx := r.t.Context()
	r.create(&storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "rbd"}, Provisioner: csi.RBDDriver(namespace), AllowVolumeExpansion: ptr.To(true),
		Parameters: map[string]string{
			csi.ParamClusterID: namespace, csi.ParamPool: poolName, csi.ParamImageFeatures: "layering",
			csi.ParamProvisionerSecretName: csi.RBDProvisionerSecret, csi.ParamProvisionerSecretSpace: namespace,
			csi.ParamControllerExpandName: csi.RBDProvisionerSecret, csi.ParamControllerExpandSpace: namespace,
		},
	})
	claim := r.claim("grows", "rbd", csi.RBDDriver(namespace), func(spec *corev1.PersistentVolumeClaimSpec) {
		spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		spec.VolumeMode = ptr.To(corev1.PersistentVolumeBlock)
	})
	volume := r.bind(claim)
	for _, step := range []struct{ had, asked string }{{"64Mi", "96Mi"}, {"96Mi", "128Mi"}} {
		r.ask(claim, step.asked)
		r.await("expansion of "+claim.Name, func() error {
			if err := r.kube.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil {
				return err
			}
			state := claim.Status
			if state.AllocatedResources.Storage().String() != step.asked || len(state.Conditions) != 1 ||
				state.Conditions[0].Type != corev1.PersistentVolumeClaimFileSystemResizePending ||
				state.AllocatedResourceStatuses[corev1.ResourceStorage] != corev1.PersistentVolumeClaimNodeResizePending {
				return say("status is %+v", state)
			}
			return nil
		})
		if got := claim.Status.Capacity.Storage().String(); got != step.had {
			r.t.Errorf("the claim has %s before its node did its part", got)
		}
		if err := r.kube.Get(ctx, client.ObjectKeyFromObject(volume), volume); err != nil || volume.Spec.Capacity.Storage().String() != step.asked {
			r.t.Errorf("volume after expansion: %v, %v", volume.Spec.Capacity, err)
		}
		done := claim.DeepCopy()
		done.Status.Capacity[corev1.ResourceStorage] = resource.MustParse(step.asked)
		done.Status.AllocatedResourceStatuses, done.Status.Conditions = nil, nil
		if err := r.kube.Status().Patch(ctx, done, client.StrategicMergeFrom(claim), client.FieldOwner("kubelet")); err != nil {
			r.t.Fatal(err)
		}
		claim = done
	}
	if err := r.ceph.Client().PoolSetMaxBytes(ctx, poolName, 200<<20); err != nil {
		r.t.Fatal(err)
	}
	r.ask(claim, "256Mi")
	r.awaitEvent(claim, "pool replicapool has a quota of 209715200; ask for less or raise the quota")
	if err := r.ceph.Client().PoolSetMaxBytes(ctx, poolName, 0); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) awaitEvent(claim *corev1.PersistentVolumeClaim, words string) {
	r.t.Helper()
	r.await("event of "+claim.Name, func() error {
		var list corev1.EventList
		if err := r.kube.List(r.t.Context(), &list, client.InNamespace(namespace)); err != nil {
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
