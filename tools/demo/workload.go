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
	blockName         = "volume-demo"
	shareName         = "share-demo"
)

// sharers are the pods that share one volume.
var sharers = []string{shareName + "-0", shareName + "-1"}

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

// shareScript greets the pod of the other name, and waits for its greeting.
const shareScript = `cd /data
echo "greetings from $HOSTNAME" > "to-$OTHER"
until grep . "to-$HOSTNAME" 2>/dev/null; do sleep 0.2; done
touch /tmp/ok
exec sleep infinity`

// workload returns what uses storage: a pod that writes to and reads from a block
// volume, two pods that share a file system, and one that stores objects.
func workload(image string) []client.Object {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: workloadNamespace}},
		claim(blockName, local.StorageClass, corev1.ReadWriteOnce),
		claim(shareName, local.Filesystem, corev1.ReadWriteMany),
		blockPod(image),
		bucketClaim(),
		bucketPod(image),
	}
	for i, name := range sharers {
		objects = append(objects, sharePod(image, name, sharers[1-i]))
	}
	return objects
}

func claim(name, class string, mode corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: workloadNamespace},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To(class),
			AccessModes:      []corev1.PersistentVolumeAccessMode{mode},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

func blockPod(image string) *corev1.Pod {
	reader := container("reader", image, readScript)
	reader.ReadinessProbe = done()
	user := volumePod(blockName, blockName, reader)
	writer := container("writer", image, writeScript)
	writer.VolumeMounts = user.Spec.Containers[0].VolumeMounts
	user.Spec.InitContainers = []corev1.Container{writer}
	return user
}

// sharePod is on another node than its like, if there is one.
func sharePod(image, name, other string) *corev1.Pod {
	sharer := container("sharer", image, shareScript)
	sharer.Env = []corev1.EnvVar{{Name: "OTHER", Value: other}}
	sharer.ReadinessProbe = done()
	user := volumePod(name, shareName, sharer)
	user.Labels = map[string]string{"app": shareName}
	user.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: corev1.PodAffinityTerm{
			TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: user.Labels}}}}}}
	return user
}

// volumePod is one container with a claim at /data.
func volumePod(name, claim string, user corev1.Container) *corev1.Pod {
	out := pod(name, user)
	out.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
	out.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	return out
}

func pod(name string, user corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: workloadNamespace},
		Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: ptr.To[int64](1), Containers: []corev1.Container{user}},
	}
}

func container(name, image, script string) corev1.Container {
	return corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullNever,
		Command: []string{"/bin/bash", "-ec", script},
	}
}

// done makes a pod ready once its script has seen what it waits for.
func done() *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
		Exec: &corev1.ExecAction{Command: []string{"test", "-f", "/tmp/ok"}}}}
}
