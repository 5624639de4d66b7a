package drain

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// stateMap is the ConfigMap that notes what was begun.
const stateMap = "rook-ceph-pdbstatemap"

// domainType is what a failure domain is.
const domainType = "host"

// Keys of the ConfigMap.
const (
	keyDomain  = "draining-failure-domain"
	keySince   = "draining-since"
	keyNoOut   = "set-no-out"
	keyWaiting = "waiting"
)

// budgets are those of a state: one for all, or one for each domain beside the
// one that drains.
func budgets(cluster *api.CephCluster, daemons []Daemon, state State) []*policyv1ac.PodDisruptionBudgetApplyConfiguration {
	if state.Domain == "" {
		return []*policyv1ac.PodDisruptionBudgetApplyConfiguration{budget(cluster, names.OSDPDB, 1, nil)}
	}
	var list []*policyv1ac.PodDisruptionBudgetApplyConfiguration
	for _, domain := range Others(daemons, state.Domain) {
		name := fmt.Sprintf("%s-%s-%s", names.OSDPDB, domainType, domain)
		list = append(list, budget(cluster, name, 0, map[string]string{"topology-location-" + domainType: domain}))
	}
	return list
}

// budget lets Kubernetes evict that many of the OSDs with the labels.
func budget(cluster *api.CephCluster, name string, most int32, labels map[string]string) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(name, cluster.Namespace).
		WithLabels(pod.ClusterLabels(cluster)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(most)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{
				names.LabelApp: pod.AppOSD, names.LabelCluster: cluster.Namespace,
			}).WithMatchLabels(labels)))
}

// note is the ConfigMap of a state.
func note(cluster *api.CephCluster, state State) *corev1ac.ConfigMapApplyConfiguration {
	data := map[string]string{keyDomain: state.Domain, keyWaiting: state.Waiting}
	if state.Domain != "" {
		data[keySince] = state.Since.UTC().Format(time.RFC3339)
		data[keyNoOut] = strconv.FormatBool(state.NoOut)
	}
	return corev1ac.ConfigMap(stateMap, cluster.Namespace).WithLabels(pod.ClusterLabels(cluster)).WithData(data)
}

// read returns the state that a ConfigMap notes; nil notes none. A time that
// cannot be read counts as long ago: what has no age must not last.
func read(noted *corev1.ConfigMap) State {
	if noted == nil {
		return State{}
	}
	state := State{Domain: noted.Data[keyDomain], Waiting: noted.Data[keyWaiting]}
	if state.Domain == "" {
		return state
	}
	state.NoOut = noted.Data[keyNoOut] == "true"
	if since, err := time.Parse(time.RFC3339, noted.Data[keySince]); err == nil {
		state.Since = since
	}
	return state
}
