package mgr

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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

const (
	service      = "mon-manager"
	app          = "rook-ceph-mgr"
	startSeconds = 120

	portDaemon = 6800

	roleActive  = "active"
	roleStandby = "standby"
)

func keyringSecret(cluster *api.CephCluster, name string, key keyring.Key) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(names.Keyring(names.Mgr(name)), cluster.Namespace).
		WithType(names.SecretType).
		WithData(map[string][]byte{"keyring": []byte(keyring.Render(key, keyring.Mgr(name).Caps))})
}

func podSpec(cluster *api.CephCluster, name, cephlet string) daemon.Spec {
	return daemon.Spec{
		Cluster: cluster, Role: api.RoleMgr, ID: name, Service: service,
		Keyring:      names.Keyring(names.Mgr(name)),
		DataPath:     "/var/lib/ceph/mgr/ceph-" + name,
		CephletImage: cephlet,
		HostNetwork:  hostNetwork(cluster),
	}
}

func hostNetwork(cluster *api.CephCluster) bool {
	return cluster.Spec.Mgr.UsesHostNetwork(cluster.Spec.Network)
}

func deployment(cluster *api.CephCluster, fsid, name, cephlet string) *appsv1ac.DeploymentApplyConfiguration {
	spec := podSpec(cluster, name, cephlet)
	args := append(spec.Args(fsid), "--client-mount-uid=0", "--client-mount-gid=0", "--public-addr=$(ROOK_POD_IP)")
	main := spec.Container("mgr", "ceph-mgr", args...).
		WithPorts(
			containerPort("mgr", portDaemon),
			containerPort("http-metrics", metricsPort(cluster)),
			containerPort("dashboard", dashboardPort(cluster)),
		).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError)
	spec.Probes(main, "status", startSeconds)
	podSpec := spec.Pod().WithContainers(main)
	spread(podSpec, cluster)
	labels := spec.Labels()
	return appsv1ac.Deployment(names.Mgr(name), cluster.Namespace).WithLabels(labels).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(1).
			WithRevisionHistoryLimit(0).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(names.Selector(cluster.Namespace, api.RoleMgr, name))).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels).WithAnnotations(spec.Annotations()).WithSpec(podSpec)))
}

func containerPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

func metricsPort(cluster *api.CephCluster) int32 {
	return cluster.Spec.Monitoring.MetricsPort()
}

func dashboardPort(cluster *api.CephCluster) int32 {
	return cluster.Spec.Dashboard.ListenPort()
}

// spread keeps managers on different nodes.
func spread(pod *corev1ac.PodSpecApplyConfiguration, cluster *api.CephCluster) {
	if pod.Affinity == nil {
		pod.WithAffinity(corev1ac.Affinity())
	}
	if pod.Affinity.PodAntiAffinity != nil {
		return // the user's words stand
	}
	term := corev1ac.PodAffinityTerm().WithTopologyKey(names.LabelHostname).WithLabelSelector(selector(cluster, nil))
	apart := corev1ac.PodAntiAffinity()
	if cluster.Spec.Mgr.AllowMultiplePerNode && !hostNetwork(cluster) {
		apart.WithPreferredDuringSchedulingIgnoredDuringExecution(
			corev1ac.WeightedPodAffinityTerm().WithWeight(50).WithPodAffinityTerm(term))
	} else {
		apart.WithRequiredDuringSchedulingIgnoredDuringExecution(term)
	}
	pod.Affinity.WithPodAntiAffinity(apart)
}

func selector(cluster *api.CephCluster, more map[string]string) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(match(cluster, more))
}

func match(cluster *api.CephCluster, more map[string]string) map[string]string {
	labels := map[string]string{names.LabelApp: app, names.LabelCluster: cluster.Namespace}
	for name, value := range more {
		labels[name] = value
	}
	return labels
}

// metricsService leads to the metrics of the active manager.
func metricsService(cluster *api.CephCluster) *corev1ac.ServiceApplyConfiguration {
	return activeService(cluster, names.MgrService, "http-metrics", metricsPort(cluster))
}

// dashboardService leads to the dashboard of the active manager.
func dashboardService(cluster *api.CephCluster) *corev1ac.ServiceApplyConfiguration {
	port := "http-dashboard"
	if cluster.Spec.Dashboard.SSL {
		port = "https-dashboard"
	}
	return activeService(cluster, names.MgrDashboardService, port, dashboardPort(cluster))
}

func activeService(cluster *api.CephCluster, name, portName string, port int32) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(name, cluster.Namespace).
		WithLabels(match(cluster, nil)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(match(cluster, map[string]string{names.LabelMgrRole: roleActive})).
			WithPorts(corev1ac.ServicePort().WithName(portName).WithPort(port).
				WithTargetPort(intstr.FromInt32(port)).WithProtocol(corev1.ProtocolTCP)))
}

func budget(cluster *api.CephCluster) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(names.MgrPDB, cluster.Namespace).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).WithSelector(selector(cluster, nil)))
}

// encode returns the template as text, to tell one from another.
func encode(desired *appsv1ac.DeploymentApplyConfiguration) ([]byte, error) {
	return json.Marshal(desired.Spec.Template)
}
