package rollout

import (
	"path"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	containerInstall = "osd-prepare"
	// startSeconds is how long an OSD may replay its journals before it answers.
	startSeconds = 7200
)

// subject is one OSD with all that its Deployment is made from.
type subject struct {
	cluster *api.CephCluster
	osd     *inventory.CephOSD
	// node may be nil when it is gone.
	node *corev1.Node
	// live is the present Deployment, nil when there is none.
	live *appsv1.Deployment
}

// deployment runs one OSD on the node that its disk is on. Ours is the image
// with our programs, ceph the one with Ceph.
func deployment(s subject, ours, ceph string) *appsv1ac.DeploymentApplyConfiguration {
	cluster := s.cluster.DeepCopy()
	cluster.Spec.CephVersion.Image = ceph
	spec := pod.Spec(cluster, s.osd, ours)
	spec.DataHostPath = path.Join(cluster.Spec.DataDirHostPath, cluster.Namespace, cluster.Status.Connection.FSID+"_"+s.osd.Spec.UUID)
	labels := labels(spec, s.osd)
	template := spec.Pod().
		WithInitContainers(pod.InstallPrepare(ours), activate(spec, s)).
		WithContainers(osd(spec, s)).
		WithNodeSelector(pod.NodeSelector(s.osd, s.node)).
		WithVolumes(pod.HostVolumes()...)
	return appsv1ac.Deployment(names.OSD(fleet.ID(s.osd)), s.osd.Namespace).
		WithLabels(labels).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(1).
			WithRevisionHistoryLimit(1).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(names.Selector(s.osd.Namespace, api.RoleOSD, fleet.ID(s.osd)))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(labels).WithAnnotations(spec.Annotations()).WithSpec(template)))
}

// labels are those of all daemons, and what tools want to know about an OSD.
func labels(spec daemon.Spec, osd *inventory.CephOSD) map[string]string {
	labels := spec.Labels()
	labels[names.LabelOSDID] = fleet.ID(osd)
	labels["portable"] = "false"
	labels["encrypted"] = "false"
	labels["osd-store"] = string(api.StoreTypeBlueStore)
	if osd.Spec.DeviceClass != "" {
		labels["device-class"] = osd.Spec.DeviceClass
	}
	for _, bucket := range osd.Spec.CrushLocation {
		if len(validation.IsValidLabelValue(bucket.Name)) == 0 {
			labels["topology-location-"+bucket.Type] = bucket.Name
		}
		if bucket.Type == "host" && len(validation.IsValidLabelValue(bucket.Name)) == 0 {
			labels["failure-domain"] = bucket.Name
		}
	}
	return labels
}

// activate finds the disk and makes the data directory point at it.
func activate(spec daemon.Spec, s subject) *corev1ac.ContainerApplyConfiguration {
	osd := s.osd.DeepCopy()
	osd.Spec.Disk.StableID = anchored(osd.Spec.Disk.StableID)
	args := append([]string{"activate"}, pod.Identity(s.cluster, osd)...)
	args = append(args, "--data="+spec.DataPath)
	if s.osd.Spec.DeviceClass != "" {
		args = append(args, "--device-class="+s.osd.Spec.DeviceClass)
	}
	c := spec.Container("activate", pod.PrepareProgram, args...)
	pod.Observe(c)
	c.Resources = nil
	return c
}

// anchored returns an identity that belongs to the disk itself; "" for one that
// is only the place where it is plugged in, which may change and must restart
// nothing. It is a hint: activation finds the disk by its label.
func anchored(stableID string) string {
	if strings.HasPrefix(stableID, "path:") || strings.HasPrefix(stableID, "name:") {
		return ""
	}
	return stableID
}

func osd(spec daemon.Spec, s subject) *corev1ac.ContainerApplyConfiguration {
	args := append(spec.Args(s.cluster.Status.Connection.FSID), "--crush-location="+Location(s.osd))
	if s.osd.Spec.InitialWeight != "" {
		args = append(args, "--osd-crush-initial-weight="+s.osd.Spec.InitialWeight)
	}
	c := spec.Container("osd", "ceph-osd", args...)
	pod.Privilege(c)
	if resources := resources(s); resources != nil {
		c.WithResources(pod.Resources(*resources))
		withMemory(c, *resources)
	}
	spec.Probes(c, "status", startSeconds)
	awaitBoot(c)
	return c
}

// awaitBoot makes our own startup probe wait until the cluster knows that the
// OSD is up: only then is its pod ready, and only then may another OSD stop.
func awaitBoot(c *corev1ac.ContainerApplyConfiguration) {
	if c.StartupProbe == nil || c.StartupProbe.Exec == nil || len(c.StartupProbe.Exec.Command) < 2 || c.StartupProbe.Exec.Command[0] != daemon.Cephlet {
		return
	}
	command := []string{daemon.Cephlet, "probe"}
	for _, state := range []string{"initializing", "preboot", "booting", "waiting_for_healthy"} {
		command = append(command, "--not-state="+state)
	}
	c.StartupProbe.Exec.Command = append(command, c.StartupProbe.Exec.Command[2:]...)
}

// Location renders the place of an OSD as Ceph's option crush_location.
func Location(osd *inventory.CephOSD) string {
	buckets := slices.Clone(osd.Spec.CrushLocation)
	slices.SortStableFunc(buckets, func(a, b inventory.CrushBucket) int { return rank(a.Type) - rank(b.Type) })
	parts := make([]string, len(buckets))
	for i, bucket := range buckets {
		parts[i] = bucket.Type + "=" + bucket.Name
	}
	return strings.Join(parts, " ")
}

// rank orders the types of buckets from the root downwards.
func rank(bucket string) int {
	return slices.Index([]string{"root", "region", "zone", "datacenter", "room", "pod", "pdu", "row", "rack", "chassis", "host"}, bucket)
}

// resources are the user's for the device class, else for the node, else for
// all OSDs.
func resources(s subject) *corev1.ResourceRequirements {
	if r, given := s.cluster.Spec.Resources["osd-"+s.osd.Spec.DeviceClass]; given && s.osd.Spec.DeviceClass != "" {
		return &r
	}
	hostname := pod.NodeSelector(s.osd, s.node)[names.LabelHostname]
	for i, node := range s.cluster.Spec.Storage.Nodes {
		if node.Name == hostname && (len(node.Resources.Limits) > 0 || len(node.Resources.Requests) > 0) {
			return &s.cluster.Spec.Storage.Nodes[i].Resources
		}
	}
	if r, given := s.cluster.Spec.Resources[api.RoleOSD]; given {
		return &r
	}
	return nil
}

// withMemory tells Ceph how much memory the pod has; it derives
// osd_memory_target from that.
func withMemory(c *corev1ac.ContainerApplyConfiguration, resources corev1.ResourceRequirements) {
	from := func(name, resource string) {
		c.WithEnv(corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
			WithResourceFieldRef(corev1ac.ResourceFieldSelector().WithContainerName("osd").WithResource(resource))))
	}
	if !resources.Limits.Memory().IsZero() {
		from("POD_MEMORY_LIMIT", "limits.memory")
	}
	if !resources.Requests.Memory().IsZero() {
		from("POD_MEMORY_REQUEST", "requests.memory")
	}
}
