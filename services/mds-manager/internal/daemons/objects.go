package daemons

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// startSeconds is how long a metadata server may take to be known to the
// monitors.
const startSeconds = 300

// apart is how much a node that runs another metadata server of the file system
// is avoided, of 100.
const apart = 100

// Images are what a pod runs: ours for the cephlet, and Ceph's.
type Images struct{ Ours, Ceph string }

// Deployment runs one metadata server.
func Deployment(cluster *api.CephCluster, fs *api.CephFilesystem, id string, images Images) *appsv1ac.DeploymentApplyConfiguration {
	cluster = merged(cluster, fs)
	cluster.Spec.CephVersion.Image = images.Ceph
	spec := daemon.Spec{
		Cluster: cluster, Role: api.RoleMDS, ID: id, Service: Service, Keyring: Keyring(id),
		CephletImage: images.Ours, HostNetwork: cluster.Spec.Network.UsesHostNetwork(),
	}
	labels := spec.Labels()
	labels[names.LabelFilesystem] = fs.Name
	return appsv1ac.Deployment(names.MDS(id), fs.Namespace).
		WithLabels(labels).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(1).
			WithRevisionHistoryLimit(1).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(names.Selector(fs.Namespace, api.RoleMDS, id))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(labels).WithAnnotations(spec.Annotations()).
				WithSpec(spec.Pod().WithContainers(server(spec)))))
}

func server(spec daemon.Spec) *corev1ac.ContainerApplyConfiguration {
	c := spec.Container("mds", "ceph-mds", spec.Args(spec.Cluster.Status.Connection.FSID)...)
	spec.Probes(c, "status", startSeconds)
	awaitJoin(c)
	return c
}

// awaitJoin makes our own startup probe wait until the monitors know the
// metadata server: only then can it take over, and only then may another stop.
func awaitJoin(c *corev1ac.ContainerApplyConfiguration) {
	if c.StartupProbe == nil || c.StartupProbe.Exec == nil || len(c.StartupProbe.Exec.Command) < 2 || c.StartupProbe.Exec.Command[0] != daemon.Cephlet {
		return
	}
	command := []string{daemon.Cephlet, "probe", "--not-state=down:dne", "--not-state=up:boot"}
	c.StartupProbe.Exec.Command = append(command, c.StartupProbe.Exec.Command[2:]...)
}

// merged returns the cluster with what the file system says about its daemons
// on top of what the cluster says about all of the role.
func merged(cluster *api.CephCluster, fs *api.CephFilesystem) *api.CephCluster {
	cluster, server := cluster.DeepCopy(), fs.Spec.MetadataServer.DeepCopy()
	spec := &cluster.Spec
	spec.Placement = with(spec.Placement, api.KeyMds, placement(spec.Placement[api.KeyMds], server.Placement, fs))
	if server.Resources != nil {
		spec.Resources = with(spec.Resources, api.RoleMDS, *server.Resources)
	}
	if server.PriorityClassName != "" {
		spec.PriorityClassNames = with(spec.PriorityClassNames, api.KeyMds, server.PriorityClassName)
	}
	if server.LivenessProbe != nil {
		spec.HealthCheck.LivenessProbe = with(spec.HealthCheck.LivenessProbe, api.KeyMds, server.LivenessProbe)
	}
	if server.StartupProbe != nil {
		spec.HealthCheck.StartupProbe = with(spec.HealthCheck.StartupProbe, api.KeyMds, server.StartupProbe)
	}
	annotations, labels := api.Annotations{}, api.Labels{}
	maps.Copy(annotations, spec.Annotations[api.KeyMds])
	maps.Copy(annotations, server.Annotations)
	maps.Copy(labels, spec.Labels[api.KeyMds])
	maps.Copy(labels, server.Labels)
	spec.Annotations = with(spec.Annotations, api.KeyMds, annotations)
	spec.Labels = with(spec.Labels, api.KeyMds, labels)
	return cluster
}

func with[M ~map[K]V, K comparable, V any](m M, key K, value V) M {
	copied := maps.Clone(m)
	if copied == nil {
		copied = M{}
	}
	copied[key] = value
	return copied
}

// placement puts the file system's on top of the cluster's. Unless the user says
// where pods must not meet, the metadata servers of a file system avoid one
// another's nodes.
func placement(base, own api.Placement, fs *api.CephFilesystem) api.Placement {
	if own.NodeAffinity != nil {
		base.NodeAffinity = own.NodeAffinity
	}
	if own.PodAffinity != nil {
		base.PodAffinity = own.PodAffinity
	}
	if own.PodAntiAffinity != nil {
		base.PodAntiAffinity = own.PodAntiAffinity
	}
	base.Tolerations = append(base.Tolerations, own.Tolerations...)
	base.TopologySpreadConstraints = append(base.TopologySpreadConstraints, own.TopologySpreadConstraints...)
	if base.PodAntiAffinity == nil {
		base.PodAntiAffinity = &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: apart,
				PodAffinityTerm: corev1.PodAffinityTerm{
					TopologyKey:   names.LabelHostname,
					LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{names.LabelApp: App, names.LabelFilesystem: fs.Name}},
				},
			}},
		}
	}
	return base
}

// Secret carries the key of a metadata server.
func Secret(fs *api.CephFilesystem, cluster, id string, key keyring.Key) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(Keyring(id), fs.Namespace).
		WithLabels(Labels(fs, cluster)).
		WithType(names.SecretType).
		WithData(map[string][]byte{"keyring": []byte(keyring.Render(key, nil))})
}

// Budget lets Kubernetes evict one metadata server at a time, however many there
// are: its standby has taken over before the next one may go.
func Budget(fs *api.CephFilesystem, cluster string) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(names.MDS(fs.Name), fs.Namespace).
		WithLabels(Labels(fs, cluster)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(fs))))
}
