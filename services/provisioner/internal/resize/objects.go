package resize

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func storage(size *resource.Quantity) map[string]any {
	return map[string]any{string(corev1.ResourceStorage): size.String()}
}

// pending is the status by which the kubelet knows that it is its turn.
func pending(size *resource.Quantity, now metav1.Time) map[string]any {
	return map[string]any{
		"allocatedResources":        storage(size),
		"allocatedResourceStatuses": map[string]any{string(corev1.ResourceStorage): corev1.PersistentVolumeClaimNodeResizePending},
		"conditions": []any{map[string]any{
			"type": corev1.PersistentVolumeClaimFileSystemResizePending, "status": corev1.ConditionTrue, "lastTransitionTime": now,
			"message": "The volume is larger. What is on it grows while a pod uses the claim.",
		}},
	}
}
