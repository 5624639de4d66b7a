package quorum

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// SafeToRemove tells whether the monitors in quorum without this one are a
// majority of the map without it.
func SafeToRemove(quorum *ceph.QuorumStatus, name string) bool {
	left, size := 0, 0
	for _, mon := range quorum.MonMap.Mons {
		if mon.Name == name {
			continue
		}
		size++
		if inQuorum(quorum, mon.Name) {
			left++
		}
	}
	return 2*left > size
}

// SafeToStop tells whether the monitors in quorum without this one are a
// majority of the whole map.
func SafeToStop(quorum *ceph.QuorumStatus, name string) bool {
	left := 0
	for _, mon := range quorum.MonMap.Mons {
		if mon.Name != name && inQuorum(quorum, mon.Name) {
			left++
		}
	}
	return 2*left > len(quorum.MonMap.Mons)
}

func inQuorum(quorum *ceph.QuorumStatus, name string) bool {
	return quorum != nil && slices.Contains(quorum.QuorumNames, name)
}

func inMap(quorum *ceph.QuorumStatus, name string) bool {
	return quorum != nil && slices.ContainsFunc(quorum.MonMap.Mons, func(m ceph.Mon) bool { return m.Name == name })
}

func outOfQuorum(members []Member, quorum *ceph.QuorumStatus) []string {
	var out []string
	for _, member := range members {
		if !inQuorum(quorum, member.Name) {
			out = append(out, member.Name)
		}
	}
	return out
}

// proofOfDeath says what proves that a monitor out of quorum does not return
// with its node, or "": its Node object was deleted, or somebody attests with
// the out-of-service taint that the node is shut down.
func proofOfDeath(nodes []corev1.Node, member Member) string {
	if member.Node == "" {
		return ""
	}
	at := slices.IndexFunc(nodes, func(n corev1.Node) bool { return n.Name == member.Node })
	if at < 0 {
		return "NodeDeleted"
	}
	if slices.ContainsFunc(nodes[at].Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService }) {
		return "NodeOutOfService"
	}
	return ""
}

func hasNode(nodes []corev1.Node, name string) bool {
	return slices.ContainsFunc(nodes, func(n corev1.Node) bool { return n.Name == name })
}

func stamp(now time.Time) *metav1.Time {
	at := metav1.NewTime(now.UTC().Truncate(time.Second))
	return &at
}
