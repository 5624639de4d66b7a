package daemon

import corev1 "k8s.io/api/core/v1"

const cephletContainer = "cephlet"

// KeepCephlet returns the image that shall bring the cephlet into a pod: the
// live pod's own as long as it runs the same Ceph image, else current. So a new
// version of our service restarts no daemon; a daemon gets the new program when
// Ceph itself is updated.
func KeepCephlet(live *corev1.PodTemplateSpec, cephImage, current string) string {
	if live == nil {
		return current
	}
	image := ""
	for _, container := range live.Spec.InitContainers {
		if container.Name == cephletContainer {
			image = container.Image
		}
	}
	for _, container := range live.Spec.Containers {
		if container.Image == cephImage && image != "" {
			return image
		}
	}
	return current
}
