package daemon

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/rook-ceph/rook-ceph/shared/names"
)

// volumes returns the volumes of a daemon's pod.
func (s Spec) volumes() []*corev1ac.VolumeApplyConfiguration {
	volumes := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName(volumeConfig).WithConfigMap(corev1ac.ConfigMapVolumeSource().
			WithName(names.ConfigOverride).WithOptional(true).
			WithItems(corev1ac.KeyToPath().WithKey("config").WithPath("ceph.conf").WithMode(0o444))),
		corev1ac.Volume().WithName(volumeKeyring).WithSecret(corev1ac.SecretVolumeSource().
			WithSecretName(s.Keyring).WithDefaultMode(keyringMode)),
		emptyDir(volumeRun),
		emptyDir(volumeTemp),
		emptyDir(volumeCephlet),
	}
	if s.Cluster.Spec.DataDirHostPath != "" {
		volumes = append(volumes, hostPath(volumeLog, s.hostDir("log")), hostPath(volumeCrash, s.hostDir("crash")))
	} else {
		volumes = append(volumes, emptyDir(volumeLog), emptyDir(volumeCrash))
	}
	switch {
	case s.DataPath == "":
	case s.DataClaim != "":
		volumes = append(volumes, corev1ac.Volume().WithName(volumeData).WithPersistentVolumeClaim(
			corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(s.DataClaim)))
	case s.DataHostPath != "":
		volumes = append(volumes, hostPath(volumeData, s.DataHostPath))
	default:
		volumes = append(volumes, emptyDir(volumeData))
	}
	return volumes
}

// mounts returns the mounts of a container of the Ceph image.
func (s Spec) mounts() []*corev1ac.VolumeMountApplyConfiguration {
	mounts := []*corev1ac.VolumeMountApplyConfiguration{
		mount(volumeConfig, ConfigDir).WithReadOnly(true),
		mount(volumeKeyring, KeyringDir).WithReadOnly(true),
		mount(volumeRun, RunDir),
		mount(volumeTemp, "/tmp"),
		mount(volumeLog, LogDir),
		mount(volumeCrash, CrashDir),
		mount(volumeCephlet, CephletDir).WithReadOnly(true),
	}
	if s.DataPath != "" {
		mounts = append(mounts, mount(volumeData, s.DataPath))
	}
	return mounts
}

func mount(name, path string) *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().WithName(name).WithMountPath(path)
}

func emptyDir(name string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).WithEmptyDir(corev1ac.EmptyDirVolumeSource())
}

func hostPath(name, path string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).WithHostPath(corev1ac.HostPathVolumeSource().
		WithPath(path).WithType(corev1.HostPathDirectoryOrCreate))
}
