package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const zone = "topology.kubernetes.io/zone"

type change func(*corev1.Node)

func node(name string, changes ...change) corev1.Node {
	n := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	for _, c := range changes {
		c(&n)
	}
	return n
}

func label(key, value string) change { return func(n *corev1.Node) { n.Labels[key] = value } }

func taint(effect corev1.TaintEffect) change {
	return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "db", Effect: effect}} }
}

func cordon(n *corev1.Node) { n.Spec.Unschedulable = true }

func notReady(n *corev1.Node) { n.Status.Conditions = nil }

func affinity(key, value string) api.Placement {
	return api.Placement{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}},
		}}},
	}}}
}

func preferred(key, value string) api.Placement {
	return api.Placement{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
		{Weight: 10, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}},
		}}},
	}}}
}

func TestChoose(t *testing.T) {
	for name, test := range map[string]struct {
		request Request
		want    string
		says    string
	}{
		"takes_the_first_by_name_among_equals": {Request{Nodes: []corev1.Node{node("n2"), node("n1")}}, "n1", ""},
		"spreads_over_nodes":                   {Request{Nodes: []corev1.Node{node("n1"), node("n2")}, Taken: []string{"n1"}}, "n2", ""},
		"shares_the_least_used_when_allowed":   {Request{Nodes: []corev1.Node{node("n1"), node("n2")}, Taken: []string{"n1", "n2", "n1"}, Share: true}, "n2", ""},
		"refuses_a_used_node":                  {Request{Nodes: []corev1.Node{node("n1")}, Taken: []string{"n1"}}, "", "node n1 already runs one (allowMultiplePerNode is false)"},
		"refuses_a_cordoned_node":              {Request{Nodes: []corev1.Node{node("n1", cordon)}}, "", "node n1 is cordoned"},
		"refuses_a_node_that_is_not_ready":     {Request{Nodes: []corev1.Node{node("n1", notReady)}}, "", "node n1 is not ready"},
		"refuses_a_taint":                      {Request{Nodes: []corev1.Node{node("n1", taint(corev1.TaintEffectNoSchedule))}}, "", "node n1 has taint dedicated=db:NoSchedule that is not tolerated"},
		"refuses_the_wrong_affinity":           {Request{Nodes: []corev1.Node{node("n1")}, Placement: affinity("disk", "ssd")}, "", "node n1 does not match the required nodeAffinity"},
		"follows_the_affinity":                 {Request{Nodes: []corev1.Node{node("n1"), node("n2", label("disk", "ssd"))}, Placement: affinity("disk", "ssd")}, "n2", ""},
		"follows_the_preference":               {Request{Nodes: []corev1.Node{node("n1"), node("n2", label("disk", "ssd"))}, Placement: preferred("disk", "ssd")}, "n2", ""},
		"ignores_a_soft_taint":                 {Request{Nodes: []corev1.Node{node("n1", taint(corev1.TaintEffectPreferNoSchedule))}}, "n1", ""},
		"spreads_over_zones":                   {Request{Nodes: []corev1.Node{node("n1", label(zone, "a")), node("n2", label(zone, "a")), node("n3", label(zone, "b"))}, Taken: []string{"n1"}, Domain: zone}, "n3", ""},
		"refuses_a_zone_that_has_one":          {Request{Nodes: []corev1.Node{node("n1", label(zone, "a")), node("n2", label(zone, "a"))}, Taken: []string{"n1"}, Domain: zone}, "", `node n1 is in topology.kubernetes.io/zone "a", which already has one; node n2 is in topology.kubernetes.io/zone "a", which already has one`},
		"refuses_a_zone_that_is_not_named":     {Request{Nodes: []corev1.Node{node("n1", label(zone, "c"))}, Domain: zone, Zones: []string{"a"}}, "", `node n1 is in topology.kubernetes.io/zone "c", which is not among the zones of the spec`},
		"refuses_a_node_without_the_label":     {Request{Nodes: []corev1.Node{node("n1")}, Domain: zone}, "", "node n1 lacks label topology.kubernetes.io/zone"},
		"avoids_a_node":                        {Request{Nodes: []corev1.Node{node("n1"), node("n2")}, Avoid: map[string]string{"n1": "burns"}}, "n2", ""},
		"says_so_when_there_is_no_node_at_all": {Request{}, "", "there are no nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			choice, refusals := Choose(test.request)
			if choice.Node != test.want {
				t.Errorf("chose %q, want %q", choice.Node, test.want)
			}
			if test.want != "" {
				return
			}
			if diff := cmp.Diff(test.says, Sentence(refusals)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestToleratedTaintsDoNotMatter(t *testing.T) {
	request := Request{
		Nodes:     []corev1.Node{node("n1", taint(corev1.TaintEffectNoSchedule))},
		Placement: api.Placement{Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}}},
	}
	if choice, refusals := Choose(request); choice.Node != "n1" {
		t.Errorf("refused: %s", Sentence(refusals))
	}
}

func TestHostnameIsTheLabel(t *testing.T) {
	n := node("n1", label("kubernetes.io/hostname", "n1.example"))
	if got := Hostname(&n); got != "n1.example" {
		t.Errorf("Hostname = %q", got)
	}
	delete(n.Labels, "kubernetes.io/hostname")
	if got := Hostname(&n); got != "n1" {
		t.Errorf("Hostname without the label = %q", got)
	}
}

func TestLongListsOfRefusalsAreCut(t *testing.T) {
	var list []Refusal
	for range 8 {
		list = append(list, Refusal{"n", "is cordoned"})
	}
	if got := Sentence(list); len(got) > 120 || got[len(got)-16:] != "and 3 more nodes" {
		t.Errorf("Sentence = %q", got)
	}
}
