// Package placement chooses nodes for daemons as the scheduler would, from the
// list of nodes, and says for every node why it was not chosen. It is pure.
package placement

import (
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulinghelpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Request asks for one node.
type Request struct {
	Nodes     []corev1.Node
	Placement api.Placement
	// Taken holds the nodes that already run a daemon of the kind.
	Taken []string
	// Share allows several daemons on one node, and in one domain.
	Share bool
	// Domain is the node label across whose values daemons spread; empty
	// spreads across nodes only.
	Domain string
	// Zones are the values of Domain that may be used; empty means all.
	Zones []string
	// Avoid are nodes that must not be chosen, with the reason.
	Avoid map[string]string
}

// Choice is a chosen node.
type Choice struct {
	Node     string
	Hostname string
	Zone     string
}

// Refusal says why a node was not chosen.
type Refusal struct {
	Node   string
	Reason string
}

// Choose returns the best node for one more daemon, or why each node is none.
func Choose(request Request) (Choice, []Refusal) {
	var refusals []Refusal
	var candidates []candidate
	perNode, perDomain := request.count()
	for i := range request.Nodes {
		node := &request.Nodes[i]
		if reason := request.refuse(node, perNode, perDomain); reason != "" {
			refusals = append(refusals, Refusal{node.Name, reason})
			continue
		}
		candidates = append(candidates, candidate{
			node: node, domain: perDomain[request.domain(node)], daemons: perNode[node.Name],
			preference: preference(request.Placement, node),
		})
	}
	if len(candidates) == 0 {
		sort.Slice(refusals, func(i, j int) bool { return refusals[i].Node < refusals[j].Node })
		return Choice{}, refusals
	}
	sort.Slice(candidates, func(i, j int) bool { return candidates[i].better(candidates[j]) })
	best := candidates[0].node
	return Choice{Node: best.Name, Hostname: Hostname(best), Zone: request.domain(best)}, refusals
}

// Sentence words refusals for people: what each node lacks.
func Sentence(refusals []Refusal) string {
	if len(refusals) == 0 {
		return "there are no nodes"
	}
	const shown = 5
	var parts []string
	for i, refusal := range refusals {
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more nodes", len(refusals)-shown))
			break
		}
		parts = append(parts, "node "+refusal.Node+" "+refusal.Reason)
	}
	return strings.Join(parts, "; ")
}

// Hostname returns the value of the node's hostname label, which need not be
// its name.
func Hostname(node *corev1.Node) string {
	if hostname := node.Labels[names.LabelHostname]; hostname != "" {
		return hostname
	}
	return node.Name
}

// Ready tells whether the kubelet of the node reports.
func Ready(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

type candidate struct {
	node            *corev1.Node
	domain, daemons int
	preference      int64
}

func (c candidate) better(other candidate) bool {
	switch {
	case c.domain != other.domain:
		return c.domain < other.domain
	case c.daemons != other.daemons:
		return c.daemons < other.daemons
	case c.preference != other.preference:
		return c.preference > other.preference
	}
	return c.node.Name < other.node.Name
}

// count returns how many daemons run per node and per domain.
func (r Request) count() (perNode, perDomain map[string]int) {
	perNode, perDomain = map[string]int{}, map[string]int{}
	for _, name := range r.Taken {
		perNode[name]++
		for i := range r.Nodes {
			if r.Nodes[i].Name == name {
				perDomain[r.domain(&r.Nodes[i])]++
			}
		}
	}
	return perNode, perDomain
}

func (r Request) domain(node *corev1.Node) string {
	if r.Domain == "" {
		return ""
	}
	return node.Labels[r.Domain]
}

// refuse returns why the node cannot run one more daemon, or "".
func (r Request) refuse(node *corev1.Node, perNode, perDomain map[string]int) string {
	if reason := r.Avoid[node.Name]; reason != "" {
		return reason
	}
	if reason := Unfit(node, r.Placement); reason != "" {
		return reason
	}
	if reason := r.refuseDomain(node, perDomain); reason != "" {
		return reason
	}
	if !r.Share && perNode[node.Name] > 0 {
		return "already runs one (allowMultiplePerNode is false)"
	}
	return ""
}

func (r Request) refuseDomain(node *corev1.Node, perDomain map[string]int) string {
	if r.Domain == "" {
		return ""
	}
	domain := r.domain(node)
	switch {
	case domain == "":
		return "lacks label " + r.Domain
	case len(r.Zones) > 0 && !contains(r.Zones, domain):
		return fmt.Sprintf("is in %s %q, which is not among the zones of the spec", r.Domain, domain)
	case !r.Share && perDomain[domain] > 0:
		return fmt.Sprintf("is in %s %q, which already has one", r.Domain, domain)
	}
	return ""
}

// Unfit returns why no new pod with this placement may go to the node, or "".
func Unfit(node *corev1.Node, placement api.Placement) string {
	if node.Spec.Unschedulable {
		return "is cordoned"
	}
	if !Ready(node) {
		return "is not ready"
	}
	if reason := Mismatch(node, placement); reason != "" {
		return reason
	}
	return ""
}

// Mismatch returns which rule of the placement the node breaks, or "".
func Mismatch(node *corev1.Node, placement api.Placement) string {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: placement.NodeAffinity}}}
	matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node)
	if err != nil {
		return "cannot be judged: nodeAffinity is malformed: " + err.Error()
	}
	if !matches {
		return "does not match the required nodeAffinity"
	}
	blocks := func(taint *corev1.Taint) bool { return taint.Effect != corev1.TaintEffectPreferNoSchedule }
	taint, untolerated := schedulinghelpers.FindMatchingUntoleratedTaint(
		klog.Background(), node.Spec.Taints, placement.Tolerations, blocks, false)
	if untolerated {
		return "has taint " + taint.ToString() + " that is not tolerated"
	}
	return ""
}

func preference(placement api.Placement, node *corev1.Node) int64 {
	if placement.NodeAffinity == nil {
		return 0
	}
	terms, err := nodeaffinity.NewPreferredSchedulingTerms(placement.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	if err != nil {
		return 0
	}
	return terms.Score(node)
}

func contains(list []string, value string) bool {
	for _, item := range list {
		if item == value {
			return true
		}
	}
	return false
}
