package daemon

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// unreachableGrace is how long a pod stays bound to a node that cannot be
// reached before Kubernetes evicts it.
const unreachableGrace = 5 * time.Second

// Placement merges what the user says for all daemons with what is said for
// one role: a part of the role's placement replaces the same part of all's,
// tolerations and spread constraints add up.
func Placement(cluster *api.CephCluster, role api.KeyType) api.Placement {
	all := cluster.Spec.Placement[api.KeyAll]
	merged := *all.DeepCopy()
	own := cluster.Spec.Placement[role]
	if own.NodeAffinity != nil {
		merged.NodeAffinity = own.NodeAffinity.DeepCopy()
	}
	if own.PodAffinity != nil {
		merged.PodAffinity = own.PodAffinity.DeepCopy()
	}
	if own.PodAntiAffinity != nil {
		merged.PodAntiAffinity = own.PodAntiAffinity.DeepCopy()
	}
	merged.Tolerations = append(merged.Tolerations, own.Tolerations...)
	merged.TopologySpreadConstraints = append(merged.TopologySpreadConstraints, own.TopologySpreadConstraints...)
	return merged
}

// place puts the user's placement into the pod. This is the one place where
// user-given pod parts are converted.
func (s Spec) place(pod *corev1ac.PodSpecApplyConfiguration) {
	placement := Placement(s.Cluster, api.KeyType(s.Role))
	affinity := corev1.Affinity{
		NodeAffinity: placement.NodeAffinity, PodAffinity: placement.PodAffinity, PodAntiAffinity: placement.PodAntiAffinity,
	}
	if affinity != (corev1.Affinity{}) {
		pod.WithAffinity(convert[corev1ac.AffinityApplyConfiguration](affinity))
	}
	for _, toleration := range placement.Tolerations {
		pod.WithTolerations(convert[corev1ac.TolerationApplyConfiguration](toleration))
	}
	for _, constraint := range placement.TopologySpreadConstraints {
		pod.WithTopologySpreadConstraints(convert[corev1ac.TopologySpreadConstraintApplyConfiguration](constraint))
	}
}

// resources returns the user's resources for the role, or nil.
func (s Spec) resources() *corev1ac.ResourceRequirementsApplyConfiguration {
	resources, given := s.Cluster.Spec.Resources[s.Role]
	if !given {
		return nil
	}
	return convert[corev1ac.ResourceRequirementsApplyConfiguration](resources)
}

func (s Spec) priorityClass() string {
	if class := s.Cluster.Spec.PriorityClassNames[api.KeyType(s.Role)]; class != "" {
		return class
	}
	return s.Cluster.Spec.PriorityClassNames[api.KeyAll]
}

func unreachable() *corev1ac.TolerationApplyConfiguration {
	return corev1ac.Toleration().WithKey(corev1.TaintNodeUnreachable).WithOperator(corev1.TolerationOpExists).
		WithEffect(corev1.TaintEffectNoExecute).WithTolerationSeconds(int64(unreachableGrace / time.Second))
}

// convert turns a core type into its apply configuration. Both have the same
// JSON, and core types leave out what is not set, so nothing is added.
func convert[To any](from any) *To {
	to := new(To)
	body, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(body, to)
	}
	if err != nil {
		panic("core type and apply configuration differ: " + err.Error()) // a bug in the libraries
	}
	return to
}
