package selection

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/go-logr/logr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// refusal says why a node takes no new OSDs; the zero value means that it does.
type refusal struct{ reason, message string }

// Hostname returns the name under which a spec knows a node.
func Hostname(node *corev1.Node) string {
	if name := node.Labels[names.LabelHostname]; name != "" {
		return name
	}
	return node.Name
}

// Placement returns what constrains the nodes of a cluster's OSDs.
func Placement(cluster *api.CephCluster) api.Placement {
	if cluster.Spec.Storage.OnlyApplyOSDPlacement {
		own := cluster.Spec.Placement[api.KeyOSD]
		return *own.DeepCopy()
	}
	return daemon.Placement(cluster, api.KeyOSD)
}

// admit tells whether new OSDs of the cluster may go to the node.
func admit(cluster *api.CephCluster, name string, node *corev1.Node) refusal {
	if node == nil {
		return refusal{ReasonNodeMissing, fmt.Sprintf("there is no Node %s", name)}
	}
	storage := &cluster.Spec.Storage
	hostname := Hostname(node)
	if !storage.UseAllNodes && !slices.ContainsFunc(storage.Nodes, func(n api.Node) bool { return n.Name == hostname }) {
		return refusal{ReasonNodeNotListed, fmt.Sprintf("spec.storage.nodes does not list %s and spec.storage.useAllNodes is false", hostname)}
	}
	placement := Placement(cluster)
	if !matchesAffinity(placement.NodeAffinity, node) {
		return refusal{ReasonNodeAffinity, fmt.Sprintf("node %s does not match spec.placement", node.Name)}
	}
	if storage.ScheduleAlways {
		return refusal{}
	}
	if node.Spec.Unschedulable {
		return refusal{ReasonNodeUnschedulable, fmt.Sprintf("node %s is cordoned; kubectl uncordon %s", node.Name, node.Name)}
	}
	if taint, found := untolerated(node, placement.Tolerations); found {
		return refusal{ReasonNodeTainted, fmt.Sprintf("node %s has the taint %s, which spec.placement does not tolerate", node.Name, taint.ToString())}
	}
	if !ready(node) {
		return refusal{ReasonNodeNotReady, fmt.Sprintf("node %s is not ready", node.Name)}
	}
	return refusal{}
}

func matchesAffinity(affinity *corev1.NodeAffinity, node *corev1.Node) bool {
	if affinity == nil || affinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	required, err := nodeaffinity.NewNodeSelector(affinity.RequiredDuringSchedulingIgnoredDuringExecution)
	return err == nil && required.Match(node)
}

func untolerated(node *corev1.Node, tolerations []corev1.Toleration) (corev1.Taint, bool) {
	return corev1helpers.FindMatchingUntoleratedTaint(logr.Discard(), node.Spec.Taints, tolerations, func(t *corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
	}, false)
}

func ready(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
