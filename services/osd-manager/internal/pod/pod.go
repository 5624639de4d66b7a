package pod

import (
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Values of the label app.
const (
	AppOSD     = "rook-ceph-osd"
	AppPrepare = "rook-ceph-osd-prepare"
	AppCleanup = "rook-ceph-osd-cleanup"
)

const (
	// PrepareProgram is where osd-prepare is inside the containers.
	PrepareProgram = daemon.CephletDir + "/osd-prepare"
	// MessagePath is where a container with the host's /dev leaves its
	// termination message: at its usual place it would become a file of the host.
	MessagePath = "/run/osd-prepare.result"
	// hostProc is where the host's procfs is mounted.
	hostProc = "/host/proc"

	volumeDev     = "devices"
	volumeProc    = "host-proc"
	volumeCephlet = "cephlet" // as daemon names it
)

// Spec returns the parts that an OSD's pods share with all daemons.
func Spec(cluster *api.CephCluster, osd *inventory.CephOSD, image string) daemon.Spec {
	return daemon.Spec{
		Cluster: cluster, Role: api.RoleOSD, ID: fleet.ID(osd), Service: fleet.Service,
		Keyring: fleet.Keyring(osd), DataPath: "/var/lib/ceph/osd/ceph-" + fleet.ID(osd),
		CephletImage: image, HostNetwork: cluster.Spec.Network.UsesHostNetwork(),
	}
}

// ClusterLabels are those of the OSD objects that are of no single numbered OSD:
// the budget, and the Secrets, which are older than the number.
func ClusterLabels(cluster *api.CephCluster) map[string]string {
	return map[string]string{
		names.LabelApp:       AppOSD,
		names.LabelCluster:   cluster.Namespace,
		names.LabelPartOf:    cluster.Name,
		names.LabelManagedBy: fleet.Service,
		names.LabelCreatedBy: "rook-ceph",
	}
}

// InstallPrepare is the init container that brings osd-prepare into the pod.
func InstallPrepare(image string) *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().WithName("osd-prepare").
		WithImage(image).
		WithCommand("/usr/local/bin/osd-prepare", "install", daemon.CephletDir).
		WithVolumeMounts(corev1ac.VolumeMount().WithName(volumeCephlet).WithMountPath(daemon.CephletDir)).
		WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).
			WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
}

// HostVolumes are the parts of the host that containers with Privilege see.
func HostVolumes() []*corev1ac.VolumeApplyConfiguration {
	host := func(name, path string) *corev1ac.VolumeApplyConfiguration {
		return corev1ac.Volume().WithName(name).WithHostPath(corev1ac.HostPathVolumeSource().
			WithPath(path).WithType(corev1.HostPathDirectory))
	}
	return []*corev1ac.VolumeApplyConfiguration{host(volumeDev, "/dev"), host(volumeProc, "/proc")}
}

// Privilege lets a container open the node's block devices.
func Privilege(c *corev1ac.ContainerApplyConfiguration) {
	c.WithVolumeMounts(corev1ac.VolumeMount().WithName(volumeDev).WithMountPath("/dev")).
		WithTerminationMessagePath(MessagePath)
	if c.SecurityContext == nil {
		c.WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).WithReadOnlyRootFilesystem(true))
	}
	c.SecurityContext.WithPrivileged(true)
}

// Observe lets a container see what the node has mounted, besides Privilege.
func Observe(c *corev1ac.ContainerApplyConfiguration) {
	Privilege(c)
	c.WithVolumeMounts(corev1ac.VolumeMount().WithName(volumeProc).WithMountPath(hostProc).WithReadOnly(true))
}

// Identity returns the arguments of osd-prepare that name the OSD and say where
// to look for its disk.
func Identity(cluster *api.CephCluster, osd *inventory.CephOSD) []string {
	return append([]string{
		"--osd-id=" + fleet.ID(osd),
		"--osd-uuid=" + osd.Spec.UUID,
		"--fsid=" + cluster.Status.Connection.FSID,
	}, Search(osd.Spec.Disk.StableID)...)
}

// Search returns the arguments of osd-prepare that say where to look for a
// disk. discover shows loop devices only where they are allowed.
func Search(stableID string) []string {
	args := []string{"--proc=" + hostProc, "--stable-id=" + stableID}
	if strings.HasPrefix(stableID, "file:") {
		args = append(args, "--allow-loop")
	}
	return args
}

// NodeSelector binds a pod to the OSD's node.
func NodeSelector(osd *inventory.CephOSD, node *corev1.Node) map[string]string {
	name := osd.Spec.Node
	if node != nil && node.Labels[names.LabelHostname] != "" {
		name = node.Labels[names.LabelHostname]
	}
	return map[string]string{names.LabelHostname: name}
}

// Resources converts what the user wrote; both have the same JSON.
func Resources(from corev1.ResourceRequirements) *corev1ac.ResourceRequirementsApplyConfiguration {
	to := &corev1ac.ResourceRequirementsApplyConfiguration{}
	body, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(body, to)
	}
	if err != nil {
		panic("core type and apply configuration differ: " + err.Error()) // a bug in the libraries
	}
	return to
}
