package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	workloadNamespace = "demo"
	workloadName      = "volume-demo"
)

// The writer stores random bytes and their checksum; the reader starts after
// it, reads past the page cache and compares.
const (
	writeScript = `cd /data
[ -f blob.sha256 ] || { head -c 64M /dev/urandom > blob && sha256sum blob > blob.sha256 && sync; }
df -h /data`
	readScript = `cd /data
dd if=blob iflag=direct bs=1M status=none | sha256sum | cut -d' ' -f1 > /tmp/read
cut -d' ' -f1 blob.sha256 | cmp - /tmp/read && echo "checksum matches: $(cat /tmp/read)" && touch /tmp/ok
exec sleep infinity`
)

// workload returns a claim and a pod that writes to and reads from it.
func workload(image string) []client.Object {
	meta := metav1.ObjectMeta{Name: workloadName, Namespace: workloadNamespace}
	container := func(name, script string) corev1.Container {
		return corev1.Container{
			Name: name, Image: image, ImagePullPolicy: corev1.PullNever,
			Command:      []string{"/bin/bash", "-ec", script},
			VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
		}
	}
	reader := container("reader", readScript)
	reader.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
		Exec: &corev1.ExecAction{Command: []string{"test", "-f", "/tmp/ok"}}}}
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: workloadNamespace}},
		&corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To(local.StorageClass),
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: resource.MustParse("1Gi")}},
		}},
		&corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: ptr.To[int64](1),
			InitContainers:                []corev1.Container{container("writer", writeScript)},
			Containers:                    []corev1.Container{reader},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: workloadName}}}},
		}},
	}
}
