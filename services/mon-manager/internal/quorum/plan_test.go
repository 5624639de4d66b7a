package quorum

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func at() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func cluster(count int32, share bool) *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster", UID: "1"},
		Spec: api.ClusterSpec{
			DataDirHostPath: "/var/lib/rook",
			CephVersion:     api.CephVersionSpec{Image: "ceph:v18.2.7"},
			Mon:             api.MonSpec{Count: count, AllowMultiplePerNode: share},
		},
	}
}

func node(name string) corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
}

func nodes(names ...string) []corev1.Node {
	list := make([]corev1.Node, 0, len(names))
	for _, name := range names {
		list = append(list, node(name))
	}
	return list
}

// on returns members by name, each on the node of that number: "a" is on n1.
func on(names ...string) []Member {
	list := make([]Member, 0, len(names))
	for i, name := range names {
		list = append(list, Member{
			Name: name, Node: fmt.Sprintf("n%d", i+1), Hostname: fmt.Sprintf("n%d", i+1), Address: fmt.Sprintf("10.0.0.%d", i+1),
		})
	}
	return list
}

// quorumOf returns a monmap of all, with those in quorum.
func quorumOf(all []string, in ...string) *ceph.QuorumStatus {
	status := &ceph.QuorumStatus{QuorumNames: in, MonMap: ceph.MonMap{Epoch: 7}}
	for i, name := range all {
		status.MonMap.Mons = append(status.MonMap.Mons, ceph.Mon{Name: name, Rank: i})
	}
	return status
}

type want struct {
	members string
	change  *api.MonitorChange
	retire  string
	blocked string
	avoid   string
}

func TestDecide(t *testing.T) {
	abc := []string{"a", "b", "c"}
	since := func(minutes int) *metav1.Time {
		out := metav1.NewTime(at().Add(-time.Duration(minutes) * time.Minute))
		return &out
	}
	started := stamp(at())
	for name, test := range map[string]struct {
		cluster *api.CephCluster
		facts   Facts
		want    want
	}{
		"places_the_first_monitors_at_once": {
			cluster(3, false), Facts{MaxID: -1, Nodes: nodes("n1", "n2", "n3")}, want{members: "a@n1 b@n2 c@n3"},
		},
		"puts_several_on_one_node_when_allowed": {
			cluster(3, true), Facts{MaxID: -1, Nodes: nodes("n1")}, want{members: "a@n1 b@n1 c@n1"},
		},
		"starts_those_that_fit_and_says_why_the_others_do_not": {
			cluster(3, false), Facts{MaxID: -1, Nodes: nodes("n1", "n2")},
			want{members: "a@n1 b@n2", blocked: api.ReasonMonitorsUnschedulable},
		},
		"says_so_when_there_is_no_node": {
			cluster(3, false), Facts{MaxID: -1}, want{blocked: api.ReasonMonitorsUnschedulable},
		},
		"keeps_the_first_monitors_until_the_cluster_is_born": {
			cluster(5, false), Facts{Members: on(abc...), MaxID: 2, Nodes: nodes("n1", "n2", "n3", "n4", "n5")}, want{members: "a@n1 b@n2 c@n3"},
		},
		"never_uses_a_name_twice": {
			cluster(1, false), Facts{MaxID: 6, Nodes: nodes("n1")}, want{members: "h@n1"},
		},
		"changes_nothing_without_quorum": {
			cluster(5, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n4", "n5")}, want{members: "a@n1 b@n2 c@n3"},
		},
		"is_settled": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3"), Quorum: quorumOf(abc, abc...)},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"adds_one_at_a_time": {
			cluster(5, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3", "n4", "n5"), Quorum: quorumOf(abc, abc...)},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorAdd, Mon: "d", Node: "n4", Reason: "CountRaised", StartedAt: started}},
		},
		"adds_none_while_one_is_out": {
			cluster(5, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2 c@n3", blocked: api.ReasonMonitorsOutOfQuorum},
		},
		"removes_the_youngest_when_there_are_too_many": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"),
				Quorum: quorumOf([]string{"a", "b", "c", "d"}, "a", "b", "c", "d"),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d", Reason: "CountReduced", StartedAt: started}},
		},
		"removes_one_that_is_out_first": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"),
				Quorum: quorumOf([]string{"a", "b", "c", "d"}, "a", "c", "d"),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "b", Reason: "CountReduced", StartedAt: started}},
		},
		"removes_none_when_the_rest_would_be_no_majority": {
			withExternal(cluster(1, false), "x", "y", "z"),
			Facts{Members: on("a", "b"), MaxID: 1, Born: true, Nodes: nodes("n1", "n2"), Quorum: quorumOf([]string{"a", "b", "x", "y", "z"}, "a", "b", "x")},
			want{members: "a@n1 b@n2", blocked: api.ReasonMonitorsOutOfQuorum},
		},
		"goes_on_with_a_removal": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d"},
				Quorum: quorumOf([]string{"a", "b", "c", "d"}, "a", "b", "c", "d"),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d"}, retire: "d"},
		},
		"forgets_a_monitor_once_the_map_does": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d"}, Quorum: quorumOf(abc, abc...),
			},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"ends_an_addition_that_joined": {
			cluster(3, false), Facts{
				Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3"),
				Change: &api.MonitorChange{Op: api.MonitorAdd, Mon: "c", StartedAt: started}, Quorum: quorumOf(abc, abc...),
			},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"gives_up_an_addition_that_does_not_join": {
			cluster(3, false), Facts{
				Members: on(abc...), MaxID: 2, Born: true,
				Change: &api.MonitorChange{Op: api.MonitorAdd, Mon: "c", StartedAt: since(11)}, Quorum: quorumOf([]string{"a", "b"}, "a", "b"),
			},
			want{members: "a@n1 b@n2 c@n3", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "c", Reason: "JoinFailed", StartedAt: started}},
		},
		"remembers_where_a_replacement_did_not_join": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Quorum: quorumOf(abc, "a", "b"),
				Change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", Node: "n4", StartedAt: since(11)},
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", avoid: "n4", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d", Reason: "JoinFailed", StartedAt: started}},
		},
		"keeps_that_in_mind_once_it_was_taken_back": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Quorum: quorumOf(abc, "a", "b"), Avoid: []string{"n4"},
				Change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d"},
			},
			want{members: "a@n1 b@n2 c@n3", avoid: "n4"},
		},
		"chooses_another_node_than_the_one_that_failed": {
			cluster(3, false), Facts{
				Members: on(abc...), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n4", "n5"), Quorum: quorumOf(abc, "a", "b"), Avoid: []string{"n4"},
			},
			want{members: "a@n1 b@n2 c@n3 e@n5", avoid: "n4", change: &api.MonitorChange{
				Op: api.MonitorReplace, Mon: "c", Replacement: "e", Node: "n5", Reason: "NodeDeleted", StartedAt: started}},
		},
		"chooses_the_node_that_failed_when_there_is_no_other": {
			cluster(3, false), Facts{
				Members: on(abc...), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n4"), Quorum: quorumOf(abc, "a", "b"), Avoid: []string{"n4"},
			},
			want{members: "a@n1 b@n2 c@n3 e@n4", avoid: "n4", change: &api.MonitorChange{
				Op: api.MonitorReplace, Mon: "c", Replacement: "e", Node: "n4", Reason: "NodeDeleted", StartedAt: started}},
		},
		"forgets_where_one_failed_once_all_is_well": {
			cluster(3, false), Facts{
				Members: on(abc...), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"), Quorum: quorumOf(abc, abc...), Avoid: []string{"n4"},
			},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"replaces_a_monitor_at_once_when_its_node_was_deleted": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n4"), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", Node: "n4", Reason: "NodeDeleted", StartedAt: started}},
		},
		"replaces_a_monitor_at_once_when_its_node_is_attested_to_be_down": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: append(nodes("n1", "n2", "n4"), outOfService("n3")), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", Node: "n4", Reason: "NodeOutOfService", StartedAt: started}},
		},
		"waits_when_nothing_proves_that_a_monitor_is_dead": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"replaces_a_monitor_that_was_out_for_ten_minutes": {
			cluster(3, false), Facts{
				Members: append(on("a", "b"), Member{Name: "c", Node: "n3", OutSince: since(10)}), MaxID: 2, Born: true,
				Nodes: nodes("n1", "n2", "n3", "n4"), Quorum: quorumOf(abc, "a", "b"),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", Node: "n4", Reason: "OutOfQuorum", StartedAt: started}},
		},
		"says_so_when_a_dead_monitor_has_no_other_node": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: nodes("n1", "n2"), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2 c@n3", blocked: api.ReasonMonitorsUnschedulable},
		},
		"removes_the_old_one_only_after_the_new_one_joined": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n4"),
				Change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", Reason: "NodeDeleted", StartedAt: started},
				Quorum: quorumOf([]string{"a", "b", "c", "d"}, "a", "b", "d"),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", retire: "c", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "c", Reason: "NodeDeleted", StartedAt: started}},
		},
		"rolls_back_when_the_old_one_returns": {
			cluster(3, false), Facts{
				Members: on("a", "b", "c", "d"), MaxID: 3, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"),
				Change: &api.MonitorChange{Op: api.MonitorReplace, Mon: "c", Replacement: "d", StartedAt: started}, Quorum: quorumOf(abc, abc...),
			},
			want{members: "a@n1 b@n2 c@n3 d@n4", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "d", Reason: "MonitorReturned", StartedAt: started}},
		},
		"removes_a_stale_monitor_that_nobody_runs": {
			cluster(2, false), Facts{Members: on("a", "b"), MaxID: 2, Born: true, Nodes: nodes("n1", "n2"), Quorum: quorumOf(abc, "a", "b")},
			want{members: "a@n1 b@n2", change: &api.MonitorChange{Op: api.MonitorRemove, Mon: "c", Reason: api.ReasonStaleMonitors, StartedAt: started}},
		},
		"leaves_a_stranger_in_quorum_alone": {
			cluster(2, false), Facts{Members: on("a", "b"), MaxID: 2, Born: true, Nodes: nodes("n1", "n2"), Quorum: quorumOf(abc, abc...)},
			want{members: "a@n1 b@n2", blocked: api.ReasonStaleMonitors},
		},
		"keeps_a_mon_whose_node_is_only_cordoned": {
			cluster(3, false), Facts{Members: on(abc...), MaxID: 2, Born: true, Nodes: append(nodes("n1", "n2", "n4"), cordoned("n3")), Quorum: quorumOf(abc, abc...)},
			want{members: "a@n1 b@n2 c@n3"},
		},
		"moves_one_of_two_on_a_node_when_that_is_not_allowed": {
			cluster(2, false), Facts{
				Members: []Member{{Name: "a", Node: "n1"}, {Name: "b", Node: "n1"}}, MaxID: 1, Born: true, Nodes: nodes("n1", "n2"),
				Quorum: quorumOf([]string{"a", "b"}, "a", "b"),
			},
			want{members: "a@n1 b@n1 c@n2", change: &api.MonitorChange{Op: api.MonitorMove, Mon: "b", Replacement: "c", Node: "n2", Reason: "SharedNode", StartedAt: started}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := Decide(test.cluster, test.facts, at())
			got := want{members: placed(plan.Members), change: plan.Change, retire: plan.Retire, blocked: plan.Blocked.Reason, avoid: strings.Join(plan.Avoid, " ")}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("plan (-want +got):\n%s\nblocked: %s", diff, plan.Blocked.Message)
			}
			again := Decide(test.cluster, test.facts, at())
			if diff := cmp.Diff(plan.Members, again.Members); diff != "" {
				t.Errorf("the same facts gave another plan:\n%s", diff)
			}
		})
	}
}

func withExternal(cluster *api.CephCluster, ids ...string) *api.CephCluster {
	cluster.Spec.Mon.ExternalMonIDs = ids
	return cluster
}

func outOfService(name string) corev1.Node {
	n := node(name)
	n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute}}
	return n
}

func cordoned(name string) corev1.Node {
	n := node(name)
	n.Spec.Unschedulable = true
	return n
}

func placed(members []Member) string {
	text := ""
	for _, member := range sorted(members) {
		if text != "" {
			text += " "
		}
		text += member.Name + "@" + member.Node
	}
	return text
}

// TestNoStateLosesTheQuorum enumerates all states of up to 7 monitors: which
// are in quorum, which one the plan takes out. Those left must be a majority of
// the map that results.
func TestNoStateLosesTheQuorum(t *testing.T) {
	states := 0
	for size := 1; size <= 7; size++ {
		all := make([]string, size)
		for i := range all {
			all[i] = MonName(int32(i))
		}
		for mask := range 1 << size {
			var in []string
			for i, name := range all {
				if mask&(1<<i) != 0 {
					in = append(in, name)
				}
			}
			if 2*len(in) <= size {
				continue // no quorum, no plan
			}
			for count := int32(1); count <= 7; count++ {
				states++
				checkSafe(t, all, in, count)
			}
		}
	}
	if states < 700 {
		t.Errorf("only %d states were looked at", states)
	}
}

func checkSafe(t *testing.T, all, in []string, count int32) {
	t.Helper()
	quorum := quorumOf(all, in...)
	facts := Facts{Members: on(all...), MaxID: int32(len(all)) - 1, Born: true, Quorum: quorum, Nodes: nodes("n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8")}
	for i := range facts.Members {
		old := metav1.NewTime(at().Add(-time.Hour))
		facts.Members[i].OutSince = &old
	}
	for range 4 {
		plan := Decide(cluster(count, false), facts, at())
		victim := plan.Retire
		if plan.Change != nil && plan.Change.Op == api.MonitorRemove {
			victim = plan.Change.Mon
		}
		if victim != "" && inMap(quorum, victim) {
			left := without(on(all...), victim)
			serving := 0
			for _, member := range left {
				if slices.Contains(in, member.Name) {
					serving++
				}
			}
			if 2*serving <= len(left) {
				t.Fatalf("map %v, quorum %v, count %d: removing %s leaves %d of %d", all, in, count, victim, serving, len(left))
			}
		}
		if plan.Change == nil {
			return
		}
		facts.Change, facts.Members, facts.MaxID = plan.Change, plan.Members, plan.MaxID
	}
}
