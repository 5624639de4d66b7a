package quorum

import (
	_ "embed"
	"fmt"
	"path"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

//go:embed init.sh
var initScript string

const (
	service = "mon-manager"
	// startSeconds is how long a monitor may take to answer: a large store is
	// compacted at start.
	startSeconds = 120

	keyMonHost    = "mon_host"
	keyMonMembers = "mon_initial_members"
	keyMonMap     = "mon_map"
	keyBorn       = "born"
)

// onlyV2 tells whether the old protocol is off.
func onlyV2(cluster *api.CephCluster) bool {
	return cluster.Spec.Network.RequiresMsgr2()
}

// monService gives a monitor an address that outlives its pods, and the Service
// itself: once known it is asked for, because the map of the monitors holds it.
func monService(cluster *api.CephCluster, member Member) *corev1ac.ServiceApplyConfiguration {
	ports := []*corev1ac.ServicePortApplyConfiguration{servicePort("tcp-msgr2", PortV2)}
	if !onlyV2(cluster) {
		ports = append(ports, servicePort("tcp-msgr1", PortV1))
	}
	spec := corev1ac.ServiceSpec().
		WithType(corev1.ServiceTypeClusterIP).
		WithSelector(names.Selector(cluster.Namespace, api.RoleMon, member.Name)).
		WithPublishNotReadyAddresses(true).
		WithPorts(ports...)
	if family := cluster.Spec.Network.IPFamily; family != "" {
		spec.WithIPFamilies(corev1.IPFamily(family)).WithIPFamilyPolicy(corev1.IPFamilyPolicySingleStack)
	}
	if member.Address != "" && !HostNetwork(cluster) {
		spec.WithClusterIP(member.Address)
	}
	return corev1ac.Service(names.Mon(member.Name), cluster.Namespace).
		WithLabels(pod(cluster, member, "").Labels()).
		WithSpec(spec)
}

func servicePort(name string, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithPort(port).WithTargetPort(intstr.FromInt32(port)).WithProtocol(corev1.ProtocolTCP)
}

// template returns the claim template that holds for the monitor, or nil when
// stores are on the host.
func template(cluster *api.CephCluster, member Member) *api.VolumeClaimTemplate {
	zones := cluster.Spec.Mon.Zones
	if cluster.Spec.Mon.StretchCluster != nil {
		zones = cluster.Spec.Mon.StretchCluster.Zones
	}
	for _, zone := range zones {
		if zone.Name == member.Zone && zone.VolumeClaimTemplate != nil {
			return zone.VolumeClaimTemplate
		}
	}
	return cluster.Spec.Mon.VolumeClaimTemplate
}

// claim returns the claim for the store of a monitor.
func claim(cluster *api.CephCluster, member Member) (*corev1ac.PersistentVolumeClaimApplyConfiguration, error) {
	wanted := template(cluster, member)
	spec, err := claimSpec(wanted.Spec)
	if err != nil {
		return nil, err
	}
	claim := corev1ac.PersistentVolumeClaim(names.Mon(member.Name), cluster.Namespace).
		WithLabels(pod(cluster, member, "").Labels()).WithLabels(wanted.Labels).WithSpec(spec)
	if len(wanted.Annotations) > 0 {
		claim.WithAnnotations(wanted.Annotations)
	}
	return claim, nil
}

// pod returns what the pod of a monitor shares with all daemons.
func pod(cluster *api.CephCluster, member Member, cephlet string) daemon.Spec {
	spec := daemon.Spec{
		Cluster: cluster, Role: api.RoleMon, ID: member.Name, Service: service,
		Keyring:      names.MonsKeyring,
		DataPath:     "/var/lib/ceph/mon/ceph-" + member.Name,
		CephletImage: cephlet,
		HostNetwork:  HostNetwork(cluster),
	}
	if template(cluster, member) != nil {
		spec.DataClaim = names.Mon(member.Name)
	} else {
		spec.DataHostPath = path.Join(cluster.Spec.DataDirHostPath, "mon-"+member.Name, "data")
	}
	return spec
}

// deployment returns the Deployment of a monitor.
func deployment(cluster *api.CephCluster, fsid string, member Member, cephlet string) *appsv1ac.DeploymentApplyConfiguration {
	spec := pod(cluster, member, cephlet)
	labels := spec.Labels()
	labels["mon_cluster"] = cluster.Namespace
	labels["mon_daemon"] = "true"
	if member.Zone != "" {
		labels["zone"] = member.Zone
	}
	podSpec := spec.Pod().
		WithInitContainers(initContainer(spec, fsid, member)).
		WithContainers(container(spec, cluster, fsid, member))
	if member.Hostname != "" {
		podSpec.WithNodeSelector(map[string]string{names.LabelHostname: member.Hostname})
	} else {
		spread(podSpec, cluster)
	}
	meta := appsv1ac.Deployment(names.Mon(member.Name), cluster.Namespace).WithLabels(labels)
	return meta.WithSpec(appsv1ac.DeploymentSpec().
		WithReplicas(1).
		WithRevisionHistoryLimit(0).
		WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(names.Selector(cluster.Namespace, api.RoleMon, member.Name))).
		WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels).WithAnnotations(spec.Annotations()).WithSpec(podSpec)))
}

func initContainer(spec daemon.Spec, fsid string, member Member) *corev1ac.ContainerApplyConfiguration {
	fromConfig := func(name, key string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
			WithSecretKeyRef(corev1ac.SecretKeySelector().WithName(names.ConfigSecret).WithKey(key)))
	}
	value := func(name, value string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValue(value)
	}
	return spec.Container("init-mon-fs", "/bin/sh", "-c", initScript).
		WithEnv(
			value("MON_ID", member.Name), value("MON_DATA", spec.DataPath), value("MON_FSID", fsid),
			value("MON_ADDRESS", member.Address), value("MON_KEYRING", daemon.KeyringPath),
			fromConfig("ROOK_MON_MAP", keyMonMap), fromConfig("ROOK_MON_BORN", keyBorn),
		).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError)
}

func container(spec daemon.Spec, cluster *api.CephCluster, fsid string, member Member) *corev1ac.ContainerApplyConfiguration {
	args := append(spec.Args(fsid),
		"--public-addr="+member.Address,
		"--setuser-match-path="+spec.DataPath+"/store.db",
		"--public-bind-addr=$(ROOK_POD_IP)",
	)
	ports := []*corev1ac.ContainerPortApplyConfiguration{containerPort("tcp-msgr2", PortV2)}
	if onlyV2(cluster) {
		args = append(args, "--ms-bind-msgr1=false")
	} else {
		ports = append(ports, containerPort("tcp-msgr1", PortV1))
	}
	switch {
	case cluster.Spec.Network.DualStack:
		args = append(args, "--ms-bind-ipv4=true", "--ms-bind-ipv6=true")
	case cluster.Spec.Network.IPFamily == api.IPv6:
		args = append(args, "--ms-bind-ipv4=false", "--ms-bind-ipv6=true")
	}
	if location := crushLocation(cluster, member); location != "" {
		args = append(args, "--set-crush-location="+location)
	}
	main := spec.Container("mon", "ceph-mon", args...).
		WithPorts(ports...).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError)
	spec.Probes(main, "mon_status", startSeconds)
	return main
}

// crushLocation tells a stretch cluster where the monitor is.
func crushLocation(cluster *api.CephCluster, member Member) string {
	if cluster.Spec.Mon.StretchCluster == nil || member.Zone == "" {
		return ""
	}
	label, _ := Domain(cluster)
	return path.Base(label) + "=" + member.Zone
}

func containerPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

// spread keeps monitors that no node is chosen for apart from each other.
func spread(podSpec *corev1ac.PodSpecApplyConfiguration, cluster *api.CephCluster) {
	if podSpec.Affinity == nil {
		podSpec.WithAffinity(corev1ac.Affinity())
	}
	if podSpec.Affinity.PodAntiAffinity != nil {
		return // the user's words stand
	}
	topology, _ := Domain(cluster)
	if topology == "" {
		topology = names.LabelHostname
	}
	term := corev1ac.PodAffinityTerm().WithTopologyKey(topology).WithLabelSelector(
		metav1ac.LabelSelector().WithMatchLabels(map[string]string{
			names.LabelApp: "rook-ceph-mon", names.LabelCluster: cluster.Namespace,
		}))
	apart := corev1ac.PodAntiAffinity()
	if cluster.Spec.Mon.AllowMultiplePerNode && !HostNetwork(cluster) {
		apart.WithPreferredDuringSchedulingIgnoredDuringExecution(
			corev1ac.WeightedPodAffinityTerm().WithWeight(50).WithPodAffinityTerm(term))
	} else {
		apart.WithRequiredDuringSchedulingIgnoredDuringExecution(term)
	}
	podSpec.Affinity.WithPodAntiAffinity(apart)
}

// configSecret returns Secret rook-ceph-config, from which daemons learn where
// the monitors are.
func configSecret(cluster *api.CephCluster, members []Member, born bool) *corev1ac.SecretApplyConfiguration {
	only := onlyV2(cluster)
	initial := ""
	for i, name := range memberNames(members) {
		if i > 0 {
			initial += ","
		}
		initial += name
	}
	data := map[string][]byte{
		keyMonHost:    []byte(monHost(members, only)),
		keyMonMembers: []byte(initial),
		keyMonMap:     []byte(monMap(members, only)),
		keyBorn:       []byte(strconv.FormatBool(born)),
	}
	return corev1ac.Secret(names.ConfigSecret, cluster.Namespace).WithType(names.SecretType).WithData(data)
}

// endpointsMap returns ConfigMap rook-ceph-mon-endpoints.
func endpointsMap(cluster *api.CephCluster, members []Member, maxID int32, out string) *corev1ac.ConfigMapApplyConfiguration {
	data := map[string]string{
		"data":                    endpoints(members, onlyV2(cluster)),
		"maxMonId":                fmt.Sprint(maxID),
		"mapping":                 mapping(members),
		"externalMons":            "",
		"outOfQuorum":             out,
		"csi-cluster-config-json": csiConfig(cluster, members),
	}
	return corev1ac.ConfigMap(names.MonEndpoints, cluster.Namespace).
		WithFinalizers(names.DisasterProtection).WithData(data)
}

// budget returns the PodDisruptionBudget of the monitors, which allows no
// eviction while one is away or a change is in flight.
func budget(cluster *api.CephCluster, members, away int) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	allowed := 1
	if members >= 5 {
		allowed = 2
	}
	if away > 0 {
		allowed = 0
	}
	return policyv1ac.PodDisruptionBudget(names.MonPDB, cluster.Namespace).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt(allowed)).
			WithUnhealthyPodEvictionPolicy(policyv1.IfHealthyBudget).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{
				names.LabelApp: "rook-ceph-mon", names.LabelCluster: cluster.Namespace,
			})))
}
