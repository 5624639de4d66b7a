package gateway

import (
	"maps"

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

// ContainerName is the container of the gateway itself.
const ContainerName = "rgw"

// Annotations of pods.
const (
	// annotationPrint changes with what gateways read only when they start.
	annotationPrint = "ceph.rook.io/start-print"
)

// AnnotationOptions is the annotation of the Deployment that lists the options that
// we have stored for it, so that those can be removed that are wanted no more.
const AnnotationOptions = "ceph.rook.io/options"

// Images are what a pod runs: ours for the cephlet, and Ceph's.
type Images struct{ Ours, Ceph string }

// Spec says what the gateways of a store are made from.
type Spec struct {
	Cluster *api.CephCluster
	Store   *api.CephObjectStore
	Site    Site
	Images  Images
	// Certificate is that of the secure port, Bundle further roots of trust.
	Certificate, Bundle Certificate
	// OptionNames are the options that are stored for the gateways, sorted.
	OptionNames string
}

// Deployment runs the gateways of a store.
func Deployment(s Spec) *appsv1ac.DeploymentApplyConfiguration {
	cluster := merged(s.Cluster, s.Store)
	cluster.Spec.CephVersion.Image = s.Images.Ceph
	pod := daemon.Spec{
		Cluster: cluster, Role: api.RoleRGW, ID: s.Store.Name, Service: Service, Keyring: Keyring(s.Store.Name),
		DataPath: "/var/lib/ceph/rgw/ceph-" + s.Store.Name, CephletImage: s.Images.Ours, HostNetwork: HostNetwork(cluster, s.Store),
	}
	labels := pod.Labels()
	labels[names.LabelObjectStore] = s.Store.Name
	annotations := pod.Annotations()
	annotations[annotationPrint] = s.print()
	return appsv1ac.Deployment(names.RGWDeployment(s.Store.Name), s.Store.Namespace).
		WithLabels(labels).
		WithAnnotations(map[string]string{AnnotationOptions: s.OptionNames}).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(s.Store.Spec.Gateway.Replicas()).
			WithRevisionHistoryLimit(1).
			WithStrategy(appsv1ac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).WithRollingUpdate(rolling(cluster, s.Store))).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(s.Store))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(labels).WithAnnotations(annotations).
				WithSpec(s.pod(pod))))
}

// rolling replaces one gateway after the other. A single one is replaced without a
// pause where two of them can listen at the same time.
func rolling(cluster *api.CephCluster, store *api.CephObjectStore) *appsv1ac.RollingUpdateDeploymentApplyConfiguration {
	gone, more := intstr.FromInt32(1), intstr.FromInt32(0)
	if store.Spec.Gateway.Replicas() == 1 && !HostNetwork(cluster, store) {
		gone, more = more, gone
	}
	return appsv1ac.RollingUpdateDeployment().WithMaxUnavailable(gone).WithMaxSurge(more)
}

// print changes with all that a gateway reads only when it starts and that its
// template does not show.
func (s Spec) print() string {
	values := startOptions(s.Store, s.Site)
	values["certificate"], values["bundle"] = s.Certificate.Print, s.Bundle.Print
	return Fingerprint(values)
}

// Secret carries the key of the gateways of a store.
func Secret(store *api.CephObjectStore, cluster string, key keyring.Key) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(Keyring(store.Name), store.Namespace).
		WithLabels(Labels(store, cluster)).
		WithType(names.SecretType).
		WithData(map[string][]byte{"keyring": []byte(keyring.Render(key, nil))})
}

// AdminOps carries the keys of the user that we manage a store as.
func AdminOps(store *api.CephObjectStore, cluster, access, secret string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(names.RGWAdminOps(store.Name), store.Namespace).
		WithLabels(Labels(store, cluster)).
		WithType(names.SecretType).
		WithData(map[string][]byte{names.AdminOpsAccessKey: []byte(access), names.AdminOpsSecretKey: []byte(secret)})
}

// MimeTypes tells gateways what the endings of file names mean. It is written once,
// people may change it.
func MimeTypes(store *api.CephObjectStore, cluster string) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(names.RGWMimeTypes(store.Name), store.Namespace).
		WithLabels(Labels(store, cluster)).
		WithData(map[string]string{"mime.types": mimeTypes})
}

// Budget lets Kubernetes evict one gateway at a time.
func Budget(store *api.CephObjectStore, cluster string) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(names.RGW(store.Name), store.Namespace).
		WithLabels(Labels(store, cluster)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(store))))
}

// Image is the image of Ceph that a Deployment's gateways run.
func Image(d *appsv1.Deployment) string {
	for _, container := range d.Spec.Template.Spec.Containers {
		if container.Name == ContainerName {
			return container.Image
		}
	}
	return ""
}

// merged returns the cluster with what the store says about its gateways on top of
// what the cluster says about all of the role.
func merged(cluster *api.CephCluster, store *api.CephObjectStore) *api.CephCluster {
	cluster, gateway := cluster.DeepCopy(), store.Spec.Gateway.DeepCopy()
	spec := &cluster.Spec
	spec.Placement = with(spec.Placement, api.KeyRgw, placement(spec.Placement[api.KeyRgw], gateway.Placement, store.Name))
	if gateway.Resources != nil {
		spec.Resources = with(spec.Resources, api.RoleRGW, *gateway.Resources)
	}
	if gateway.PriorityClassName != "" {
		spec.PriorityClassNames = with(spec.PriorityClassNames, api.KeyRgw, gateway.PriorityClassName)
	}
	annotations, labels := api.Annotations{}, api.Labels{}
	maps.Copy(annotations, spec.Annotations[api.KeyRgw])
	maps.Copy(annotations, gateway.Annotations)
	maps.Copy(labels, spec.Labels[api.KeyRgw])
	maps.Copy(labels, gateway.Labels)
	spec.Annotations = with(spec.Annotations, api.KeyRgw, annotations)
	spec.Labels = with(spec.Labels, api.KeyRgw, labels)
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

// placement puts the store's on top of the cluster's. Unless the user says where
// pods must not meet, the gateways of a store avoid one another's nodes.
func placement(base, own api.Placement, store string) api.Placement {
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
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{apart(store)},
		}
	}
	return base
}
