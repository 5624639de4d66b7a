package resize

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Wants tells whether a bound claim asks for more than it has and its node has not got to
// do the rest.
func Wants(claim *corev1.PersistentVolumeClaim) bool {
	has, known := claim.Status.Capacity[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound && claim.Spec.VolumeName != "" && claim.DeletionTimestamp.IsZero() &&
		known && wanted(claim).Cmp(has) > 0 && !left(claim)
}

// left tells whether all that a claim asks for is left to its node: the kubelet goes on, as
// soon as a pod uses the claim, and writes the capacity in the end.
func left(claim *corev1.PersistentVolumeClaim) bool {
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimNodeResizePending, corev1.PersistentVolumeClaimNodeResizeInProgress,
		corev1.PersistentVolumeClaimNodeResizeInfeasible:
		return claim.Status.AllocatedResources.Storage().Cmp(*wanted(claim)) >= 0
	}
	return false
}

func wanted(claim *corev1.PersistentVolumeClaim) *resource.Quantity {
	return claim.Spec.Resources.Requests.Storage()
}
