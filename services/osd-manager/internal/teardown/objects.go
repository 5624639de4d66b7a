package teardown

import (
	"path"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	containerWipe = "wipe"
	volumeData    = "data"
	dataPath      = "/data"
	// retrySeconds is how long an ended Job stays; its end is the next attempt.
	retrySeconds = 600
	// quickSeconds ends a quick wipe that hangs on a broken disk, or whose pod
	// cannot start. A complete one writes the whole disk and may take days.
	quickSeconds = 900
)

// jobName returns the name of the Job that wipes a disk.
func jobName(disk *inventory.CephDisk) string { return fleet.Fit("cluster-cleanup-job-" + disk.Name) }

// labels are those of the wiping of a cluster's disks.
func labels(cluster *api.CephCluster) map[string]string {
	labels := pod.ClusterLabels(cluster)
	labels[names.LabelApp] = pod.AppCleanup
	return labels
}

// wipe destroys the OSD on a disk and removes its directory on the host. It
// needs no Ceph: our own image is enough.
func wipe(cluster *api.CephCluster, disk *inventory.CephDisk, node *corev1.Node, image string) *batchv1ac.JobApplyConfiguration {
	template := corev1ac.PodSpec().
		WithRestartPolicy(corev1.RestartPolicyNever).
		WithServiceAccountName(names.OSDAccount).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTolerations(corev1ac.Toleration().WithOperator(corev1.TolerationOpExists)).
		WithNodeSelector(map[string]string{names.LabelHostname: node.Labels[names.LabelHostname]}).
		WithContainers(container(cluster, disk, image)).
		WithVolumes(pod.HostVolumes()...)
	if root := cluster.Spec.DataDirHostPath; root != "" {
		template.WithVolumes(corev1ac.Volume().WithName(volumeData).WithHostPath(corev1ac.HostPathVolumeSource().
			WithPath(path.Join(root, cluster.Namespace)).WithType(corev1.HostPathDirectoryOrCreate)))
	}
	spec := batchv1ac.JobSpec().
		WithBackoffLimit(0).
		WithTTLSecondsAfterFinished(retrySeconds).
		WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels(cluster)).WithSpec(template))
	if !complete(cluster) {
		spec.WithActiveDeadlineSeconds(quickSeconds)
	}
	return batchv1ac.Job(jobName(disk), cluster.Namespace).WithLabels(labels(cluster)).WithSpec(spec)
}

// complete tells whether every byte of a disk is to be overwritten.
func complete(cluster *api.CephCluster) bool {
	return cluster.Spec.CleanupPolicy.SanitizeDisks.Method == api.SanitizeMethodComplete
}

func container(cluster *api.CephCluster, disk *inventory.CephDisk, image string) *corev1ac.ContainerApplyConfiguration {
	label := disk.Status.OSD
	id := -1
	if label.OSDID != nil {
		id = int(*label.OSDID)
	}
	args := append([]string{"wipe", "--osd-id=" + strconv.Itoa(id), "--osd-uuid=" + label.UUID, "--fsid=" + label.FSID,
		"--result=" + pod.MessagePath}, pod.Search(disk.Status.StableID)...)
	how := cluster.Spec.CleanupPolicy.SanitizeDisks
	if complete(cluster) {
		args = append(args, "--method=complete", "--passes="+strconv.Itoa(max(1, int(how.Iteration))))
		if how.DataSource == api.SanitizeDataSourceRandom {
			args = append(args, "--source=random")
		}
	}
	c := corev1ac.Container().WithName(containerWipe).WithImage(image).WithCommand("/usr/local/bin/osd-prepare")
	pod.Observe(c)
	if cluster.Spec.DataDirHostPath != "" {
		args = append(args, "--data="+path.Join(dataPath, label.FSID+"_"+label.UUID))
		c.WithVolumeMounts(corev1ac.VolumeMount().WithName(volumeData).WithMountPath(dataPath))
	}
	if resources, given := cluster.Spec.Resources[string(api.KeyCleanup)]; given {
		c.WithResources(pod.Resources(resources))
	}
	return c.WithArgs(args...)
}
