package quorum

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestRetire(t *testing.T) {
	three, four := []string{"a", "b", "c"}, []string{"a", "b", "c", "d"}
	for name, test := range map[string]struct {
		quorum         *ceph.QuorumStatus
		deployed, runs bool
		want           Retirement
	}{
		"stops_it_first":                            {quorumOf(four, four...), true, true, Stop},
		"waits_for_its_end":                         {quorumOf(four, four...), false, true, AwaitEnd},
		"takes_it_out_once_it_ended":                {quorumOf(four, four...), false, false, TakeOut},
		"stops_one_that_is_out_of_quorum":           {quorumOf(three, "a", "b"), true, true, Stop},
		"takes_out_of_two_while_it_runs":            {quorumOf([]string{"a", "c"}, "a", "c"), true, true, TakeOut},
		"takes_out_while_it_runs_if_another_is_out": {quorumOf(four, "a", "b", "c"), true, true, TakeOut},
		"keeps_what_the_majority_needs":             {quorumOf(three, "a", "c"), true, true, Stay},
		"keeps_the_last":                            {quorumOf([]string{"c"}, "c"), true, true, Stay},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Retire(test.quorum, "c", test.deployed, test.runs); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// TestNoRetirementLosesTheQuorum enumerates all states of up to seven monitors.
func TestNoRetirementLosesTheQuorum(t *testing.T) {
	for size := 1; size <= 7; size++ {
		var all []string
		for i := range size {
			all = append(all, MonName(int32(i)))
		}
		for mask := range 1 << size {
			var in []string
			for i, name := range all {
				if mask&(1<<i) != 0 {
					in = append(in, name)
				}
			}
			if 2*len(in) <= size {
				continue // nobody would answer
			}
			for state := range 4 {
				checkRetirement(t, all, in, state&1 != 0, state&2 != 0)
			}
		}
	}
}

func checkRetirement(t *testing.T, all, in []string, deployed, runs bool) {
	t.Helper()
	quorum := quorumOf(all, in...)
	left := len(in)
	if inQuorum(quorum, "a") {
		left--
	}
	got := Retire(quorum, "a", deployed, runs)
	switch {
	case got == Stop && (2*left <= len(all) || !deployed):
		t.Errorf("of %v in quorum of %v one is stopped", in, all)
	case got == TakeOut && 2*left <= len(all)-1:
		t.Errorf("of %v in quorum of %v one is taken out", in, all)
	case got == TakeOut && runs && 2*left > len(all):
		t.Errorf("of %v in quorum of %v one is taken out while it runs", in, all)
	case got == Stay && 2*left > len(all):
		t.Errorf("of %v in quorum of %v none can go", in, all)
	}
}

func TestAPodWhoseEndNobodyTellsCountsNoLonger(t *testing.T) {
	going := func(deadline time.Time) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: deadline}}}
	}
	for name, test := range map[string]struct {
		pods []corev1.Pod
		want bool
	}{
		"no_pod":                         {nil, false},
		"a_pod_that_stays":               {[]corev1.Pod{{}}, true},
		"a_pod_that_has_time_left":       {[]corev1.Pod{going(at().Add(time.Second))}, true},
		"a_pod_that_is_just_late":        {[]corev1.Pod{going(at().Add(-time.Second))}, true},
		"a_pod_of_a_node_that_is_silent": {[]corev1.Pod{going(at().Add(-time.Minute))}, false},
		"one_of_two_that_stays":          {[]corev1.Pod{going(at().Add(-time.Minute)), {}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mayRun(test.pods, at()); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestAStoppedMonitorReturnsOnlyIfTheQuorumStaysSilent(t *testing.T) {
	for name, test := range map[string]struct {
		quorum *ceph.QuorumStatus
		change *api.MonitorChange
		since  time.Duration
		want   bool
	}{
		"the_quorum_answers":      {quorumOf([]string{"a", "b", "c"}, "a", "b"), &api.MonitorChange{Op: api.MonitorRemove, Mon: "c"}, time.Hour, true},
		"it_votes_anew":           {nil, &api.MonitorChange{Op: api.MonitorRemove, Mon: "c"}, 10 * time.Second, true},
		"it_is_silent_for_long":   {nil, &api.MonitorChange{Op: api.MonitorRemove, Mon: "c"}, 3 * time.Minute, false},
		"another_one_is_to_leave": {nil, &api.MonitorChange{Op: api.MonitorRemove, Mon: "b"}, 0, false},
		"it_is_to_join":           {nil, &api.MonitorChange{Op: api.MonitorAdd, Mon: "c"}, 0, false},
		"nothing_is_under_way":    {nil, nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change.StartedAt = stamp(at().Add(-test.since))
			}
			p := &pass{Reconciler: &Reconciler{Clock: clocktesting.NewFakePassiveClock(at())}}
			p.plan.Change, p.seen.facts.Quorum = test.change, test.quorum
			if got := p.retiring("c"); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
