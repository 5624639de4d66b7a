package daemon

import (
	"path"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Paths inside the containers of a Ceph daemon.
const (
	ConfigDir   = "/etc/ceph"
	KeyringDir  = "/etc/ceph/keyring-store"
	KeyringPath = KeyringDir + "/keyring"
	RunDir      = "/run/ceph"
	LogDir      = "/var/log/ceph"
	CrashDir    = "/var/lib/ceph/crash"
	CephletDir  = "/run/rook"
	Cephlet     = CephletDir + "/cephlet"
)

// Names of volumes.
const (
	volumeConfig  = "rook-config-override"
	volumeKeyring = "keyring"
	volumeRun     = "run"
	volumeTemp    = "tmp"
	volumeLog     = "log"
	volumeCrash   = "crash"
	volumeCephlet = "cephlet"
	volumeData    = "data"
)

// keyringMode is what the keyring Secret is mounted with. Daemons read it after
// they became the ceph user, whose number differs between images; nobody else
// runs in the pod.
const keyringMode = 0o444

// Spec says which daemon of which cluster a pod runs.
type Spec struct {
	Cluster *api.CephCluster
	// Role is mon, mgr, osd, mds or rgw; ID is the daemon's name in that role.
	Role, ID string
	// Service is who manages the daemon, such as mon-manager.
	Service string
	// Keyring is the Secret that holds the daemon's keyring.
	Keyring string
	// DataHostPath is the daemon's data directory on the host; empty means that
	// data is kept for the life of the pod only.
	DataHostPath string
	// DataClaim is the PVC that holds the data; it replaces DataHostPath.
	DataClaim string
	// DataPath is where the data directory is mounted.
	DataPath string
	// CephletImage carries the cephlet. An update of it alone must not restart
	// a daemon; see KeepCephlet.
	CephletImage string
	// HostNetwork puts the pod into the node's network.
	HostNetwork bool
}

// Labels returns the labels of the daemon's Deployment and pod, the user's
// included.
func (s Spec) Labels() map[string]string {
	labels := map[string]string{}
	for _, key := range []api.KeyType{api.KeyAll, api.KeyType(s.Role)} {
		for name, value := range s.Cluster.Spec.Labels[key] {
			labels[name] = value
		}
	}
	for name, value := range names.Daemon(s.Cluster.Namespace, s.Cluster.Name, s.Role, s.ID, s.Service) {
		labels[name] = value
	}
	return labels
}

// Annotations returns the user's annotations for the pod.
func (s Spec) Annotations() map[string]string {
	annotations := map[string]string{}
	for _, key := range []api.KeyType{api.KeyAll, api.KeyType(s.Role)} {
		for name, value := range s.Cluster.Spec.Annotations[key] {
			annotations[name] = value
		}
	}
	return annotations
}

// Pod returns the pod template's spec with what all daemons share; the caller
// adds containers. Init containers begin with the one that brings the cephlet.
func (s Spec) Pod() *corev1ac.PodSpecApplyConfiguration {
	pod := corev1ac.PodSpec().
		WithRestartPolicy(corev1.RestartPolicyAlways).
		WithServiceAccountName(s.account()).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTolerations(unreachable()).
		WithInitContainers(s.installCephlet()).
		WithVolumes(s.volumes()...)
	if s.HostNetwork {
		pod.WithHostNetwork(true).WithDNSPolicy(corev1.DNSClusterFirstWithHostNet)
	}
	if class := s.priorityClass(); class != "" {
		pod.WithPriorityClassName(class)
	}
	s.place(pod)
	return pod
}

// Container returns a container of the Ceph image with the daemon's mounts and
// environment. The program runs through the cephlet, which first gives the
// data, log, crash and run directories to the ceph user.
func (s Spec) Container(name, program string, args ...string) *corev1ac.ContainerApplyConfiguration {
	command := []string{Cephlet, "exec"}
	for _, dir := range s.ownedDirs() {
		command = append(command, "--own", dir)
	}
	container := corev1ac.Container().WithName(name).
		WithImage(s.Cluster.Spec.CephVersion.Image).
		WithCommand(append(command, "--", program)...).
		WithArgs(args...).
		WithEnv(Env()...).
		WithVolumeMounts(s.mounts()...).
		WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).WithReadOnlyRootFilesystem(true))
	if policy := s.Cluster.Spec.CephVersion.ImagePullPolicy; policy != "" {
		container.WithImagePullPolicy(policy)
	}
	if resources := s.resources(); resources != nil {
		container.WithResources(resources)
	}
	return container
}

// Args returns the arguments that every daemon takes.
func (s Spec) Args(fsid string) []string {
	return []string{
		"--fsid=" + fsid,
		"--keyring=" + KeyringPath,
		"--mon-host=$(ROOK_CEPH_MON_HOST)",
		"--mon-initial-members=$(ROOK_CEPH_MON_INITIAL_MEMBERS)",
		"--id=" + s.ID,
		"--setuser=ceph",
		"--setgroup=ceph",
		"--default-log-to-stderr=true",
		"--default-err-to-stderr=true",
		"--default-mon-cluster-log-to-stderr=true",
		"--default-log-stderr-prefix=debug ",
		"--default-log-to-file=false",
		"--default-mon-cluster-log-to-file=false",
		"--foreground",
	}
}

// Env returns the environment that Args refers to.
func Env() []*corev1ac.EnvVarApplyConfiguration {
	fromSecret := func(name, key string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
			WithSecretKeyRef(corev1ac.SecretKeySelector().WithName(names.ConfigSecret).WithKey(key)))
	}
	fromField := func(name, field string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
			WithFieldRef(corev1ac.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath(field)))
	}
	return []*corev1ac.EnvVarApplyConfiguration{
		fromField("CONTAINER_IMAGE_NODE", "spec.nodeName"),
		fromField("NODE_NAME", "spec.nodeName"),
		fromField("POD_NAME", "metadata.name"),
		fromField("POD_NAMESPACE", "metadata.namespace"),
		fromField("ROOK_POD_IP", "status.podIP"),
		fromSecret("ROOK_CEPH_MON_HOST", "mon_host"),
		fromSecret("ROOK_CEPH_MON_INITIAL_MEMBERS", "mon_initial_members"),
	}
}

// ownedDirs are the directories that the ceph user has to own.
func (s Spec) ownedDirs() []string {
	dirs := []string{RunDir, LogDir, CrashDir}
	if s.DataPath != "" {
		dirs = append(dirs, s.DataPath)
	}
	return dirs
}

// installCephlet brings the cephlet into the pod.
func (s Spec) installCephlet() *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().WithName(cephletContainer).
		WithImage(s.CephletImage).
		WithCommand("/usr/local/bin/cephlet", "install", CephletDir).
		WithVolumeMounts(mount(volumeCephlet, CephletDir)).
		WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).
			WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
}

// hostDir returns a directory of the cluster on the host.
func (s Spec) hostDir(name string) string {
	return path.Join(s.Cluster.Spec.DataDirHostPath, s.Cluster.Namespace, name)
}

func (s Spec) account() string {
	switch s.Role {
	case api.RoleMgr:
		return names.MgrAccount
	case api.RoleOSD:
		return names.OSDAccount
	default:
		return names.DaemonAccount
	}
}
