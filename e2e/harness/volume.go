package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Claim returns a claim of 1 GiB of a StorageClass in the namespace default.
func Claim(name, class string, mode corev1.PersistentVolumeMode) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceDefault},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To(class), VolumeMode: &mode,
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

// SharedClaim returns a claim of 1 GiB of a file system that many nodes may mount.
func SharedClaim(name, class string) *corev1.PersistentVolumeClaim {
	claim := Claim(name, class, corev1.PersistentVolumeFilesystem)
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	return claim
}

// User returns a pod that runs a script once, with the claim at /data, or at
// /dev/data for a raw block claim.
func (h *Harness) User(name string, claim *corev1.PersistentVolumeClaim, script string) *corev1.Pod {
	container := corev1.Container{
		Name: "user", Image: h.Settings.CephImage(), ImagePullPolicy: corev1.PullNever,
		Command: []string{"/bin/bash", "-ec", script}, TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
	if *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock {
		container.VolumeDevices = []corev1.VolumeDevice{{Name: "data", DevicePath: "/dev/data"}}
	} else {
		container.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: claim.Namespace},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: ptr.To[int64](1),
			Containers: []corev1.Container{container},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}}},
		},
	}
}

// AwaitBound waits until the claim has a volume.
func (h *Harness) AwaitBound(t *testing.T, claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	h.Eventually(t, time.Minute, "claim "+claim.Name+" is bound", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil {
			return false, err.Error()
		}
		return claim.Status.Phase == corev1.ClaimBound, string(claim.Status.Phase)
	})
}

// Expand asks for a larger size of a claim and waits until it has it, as far as its node.
func (h *Harness) Expand(t *testing.T, claim *corev1.PersistentVolumeClaim, size string) {
	t.Helper()
	before := claim.DeepCopy()
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse(size)
	if err := h.Patch(t.Context(), claim, client.MergeFrom(before)); err != nil {
		t.Fatalf("expand claim %s: %v", claim.Name, err)
	}
	h.Eventually(t, time.Minute, "claim "+claim.Name+" has "+size, func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil {
			return false, err.Error()
		}
		return claim.Status.Capacity.Storage().String() == size, fmt.Sprintf("%+v", claim.Status)
	})
}

// Class makes a copy of a StorageClass with other parameters; an empty one is left
// out.
func (h *Harness) Class(t *testing.T, name, like string, parameters map[string]string) *storagev1.StorageClass {
	t.Helper()
	class := &storagev1.StorageClass{}
	if err := h.Get(t.Context(), client.ObjectKey{Name: like}, class); err != nil {
		t.Fatal(err)
	}
	class.ObjectMeta = metav1.ObjectMeta{Name: name}
	for key, value := range parameters {
		class.Parameters[key] = value
		if value == "" {
			delete(class.Parameters, key)
		}
	}
	h.CreateAll(t, class)
	return class
}

// AwaitPhase waits until the pod is as far.
func (h *Harness) AwaitPhase(t *testing.T, pod *corev1.Pod, phase corev1.PodPhase) {
	t.Helper()
	h.Eventually(t, 2*time.Minute, fmt.Sprintf("pod %s is %s", pod.Name, phase), func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return false, err.Error()
		}
		if pod.Status.Phase == corev1.PodFailed {
			t.Fatalf("pod %s failed: %+v", pod.Name, pod.Status.ContainerStatuses)
		}
		return pod.Status.Phase == phase, fmt.Sprint(pod.Status.Phase, pod.Status.Conditions)
	})
}

// Volume is a volume that a pod writes to all the time.
type Volume struct {
	Claim *corev1.PersistentVolumeClaim
	pod   *corev1.Pod
}

// endless writes and reads back past the page cache, and says how often.
const endless = `n=0
while true; do
  n=$((n+1))
  echo "$n" | dd of=/data/beat bs=4096 conv=sync oflag=direct status=none
  test "$(dd if=/data/beat bs=4096 iflag=direct status=none | tr -d '\0 ')" = "$n"
  echo "$n"
  sleep 0.2
done`

// Use makes a volume of a StorageClass and a pod that writes to it until Release.
func (h *Harness) Use(t *testing.T, name, class string) Volume {
	t.Helper()
	claim := Claim(name, class, corev1.PersistentVolumeFilesystem)
	h.CreateAll(t, claim)
	h.AwaitBound(t, claim)
	pod := h.User(name, claim, endless)
	h.CreateAll(t, pod)
	h.AwaitPhase(t, pod, corev1.PodRunning)
	return Volume{Claim: claim, pod: pod}
}

// Node is where the pod that writes runs.
func (v Volume) Node() string { return v.pod.Spec.NodeName }

// AwaitBeat waits until the pod, never restarted, has written once more.
func (h *Harness) AwaitBeat(t *testing.T, volume Volume) {
	t.Helper()
	before := h.beat(t.Context(), volume)
	h.Eventually(t, 30*time.Second, "volume "+volume.Claim.Name+" is written to", func(ctx context.Context) (bool, string) {
		now := h.beat(ctx, volume)
		return now != "" && now != before, "last beat " + now
	})
}

func (h *Harness) beat(ctx context.Context, volume Volume) string {
	body, err := h.Clientset.CoreV1().Pods(volume.pod.Namespace).GetLogs(volume.pod.Name, &corev1.PodLogOptions{TailLines: ptr.To[int64](1)}).DoRaw(ctx)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(body))
}

// Stop ends the pod, and keeps the claim.
func (h *Harness) Stop(t *testing.T, volume Volume) {
	t.Helper()
	h.Remove(t, time.Minute, volume.pod)
}

// Release ends the pod and deletes the claim, and waits until the volume is gone.
func (h *Harness) Release(t *testing.T, volume Volume) {
	t.Helper()
	h.Stop(t, volume)
	h.Discard(t, volume.Claim)
}

// Discard deletes a bound claim and waits until its volume is gone.
func (h *Harness) Discard(t *testing.T, claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: claim.Spec.VolumeName}}
	h.Remove(t, time.Minute, claim)
	h.Gone(t, time.Minute, volume)
}

// Remove deletes an object and waits until it is gone.
func (h *Harness) Remove(t *testing.T, within time.Duration, obj client.Object) {
	t.Helper()
	if err := h.Delete(t.Context(), obj); client.IgnoreNotFound(err) != nil {
		t.Fatalf("delete %T %s: %v", obj, obj.GetName(), err)
	}
	h.Gone(t, within, obj)
}
