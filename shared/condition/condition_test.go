package condition

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

func TestFrom(t *testing.T) {
	long := strings.Repeat("ä", 600)
	tests := map[string]struct {
		report step.Report
		want   api.Condition
	}{
		"is True when all is done": {
			step.Report{Outcome: step.Done},
			api.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: ReasonAsExpected, ObservedGeneration: 7},
		},
		"carries the reason of a wait": {
			step.Report{Outcome: step.Wait("Starting", "Waiting for b")},
			api.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Starting", Message: "Waiting for b", ObservedGeneration: 7},
		},
		"trims an error at a rune": {
			step.Report{Err: errors.New(long)},
			api.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: ReasonError, Message: strings.Repeat("ä", 256) + "…", ObservedGeneration: 7},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, From("Ready", tc.report, 7)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeletionIsBlockedSaysWhatIsNotHonoured(t *testing.T) {
	report := step.Report{Outcome: step.Retry(time.Second, api.ReasonDependents, "Group 'a' holds b; delete it first")}
	blocked := api.Condition{Type: "DeletionIsBlocked", Status: metav1.ConditionTrue, Reason: api.ReasonDependents, Message: report.Message, ObservedGeneration: 7}
	unforced := blocked
	unforced.Message += "; annotation rook.io/force-deletion is not honoured"
	tests := map[string]struct {
		annotation string
		blockers   []string
		want       api.Condition
	}{
		"nothing keeps it": {annotation: "true", want: api.Condition{
			Type: "DeletionIsBlocked", Status: metav1.ConditionFalse, Reason: api.ReasonNoDependents, ObservedGeneration: 7}},
		"something keeps it":                      {blockers: []string{"b"}, want: blocked},
		"something keeps it in spite of a person": {annotation: "True", blockers: []string{"b"}, want: unforced},
		"a person has thought again":              {annotation: "false", blockers: []string{"b"}, want: blocked},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			obj := &metav1.ObjectMeta{Generation: 7, Annotations: map[string]string{"rook.io/force-deletion": tc.annotation}}
			if diff := cmp.Diff(tc.want, DeletionIsBlocked(obj, tc.blockers, report)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMergeMovesTheTimeOnlyWithTheStatus(t *testing.T) {
	before, now := metav1.Unix(100, 0), time.Unix(200, 0)
	existing := []api.Condition{
		{Type: "Same", Status: metav1.ConditionTrue, LastTransitionTime: &before},
		{Type: "Flips", Status: metav1.ConditionTrue, LastTransitionTime: &before},
		{Type: "Others", Status: metav1.ConditionTrue, LastTransitionTime: &before},
	}
	got := Merge(existing, now,
		api.Condition{Type: "Same", Status: metav1.ConditionTrue, Reason: "New"},
		api.Condition{Type: "Flips", Status: metav1.ConditionFalse},
		api.Condition{Type: "Fresh", Status: metav1.ConditionTrue})
	want := map[string]int64{"Same": 100, "Flips": 200, "Fresh": 200}
	if len(got) != len(want) {
		t.Fatalf("got %d conditions, want only the desired %d", len(got), len(want))
	}
	for _, c := range got {
		if c.LastTransitionTime.Unix() != want[c.Type] {
			t.Errorf("%s: got %v, want %v", c.Type, c.LastTransitionTime.Unix(), want[c.Type])
		}
	}
}

func TestAwaitNamesTheWriter(t *testing.T) {
	cluster := &api.CephCluster{}
	if got := Await(cluster, api.ConditionMonitorsInQuorum).Message; got != "Waiting for mon-manager: MonitorsInQuorum is not reported yet" {
		t.Error(got)
	}
	cluster.Status.Conditions = []api.Condition{{Type: api.ConditionMonitorsInQuorum, Status: metav1.ConditionFalse, Reason: "MonitorsStarting"}}
	if got := Await(cluster, api.ConditionMonitorsInQuorum).Message; got != "Waiting for mon-manager: MonitorsInQuorum is False (MonitorsStarting)" {
		t.Error(got)
	}
	cluster.Status.Conditions[0].Status = metav1.ConditionTrue
	if !Await(cluster, api.ConditionMonitorsInQuorum).IsDone() {
		t.Error("a True condition is still awaited")
	}
}

func TestAQuorumThatWorksIsEnough(t *testing.T) {
	for _, tc := range []struct {
		reason    string
		connected bool
		want      bool
	}{
		{api.ReasonMonitorsUnschedulable, true, true},
		{api.ReasonMonitorsOutOfQuorum, true, true},
		{api.ReasonMonitorsStarting, true, true},
		{api.ReasonMonitorsStarting, false, false}, // being born
		{api.ReasonQuorumLost, true, false},
		{api.ReasonIdentityLost, true, false},
	} {
		cluster := &api.CephCluster{}
		cluster.Status.Conditions = []api.Condition{{Type: api.ConditionMonitorsInQuorum, Status: metav1.ConditionFalse, Reason: tc.reason}}
		if tc.connected {
			cluster.Status.Connection = &api.Connection{FSID: "f"}
		}
		if got := Await(cluster, api.ConditionMonitorsInQuorum).IsDone(); got != tc.want {
			t.Errorf("%s, connected %t: done is %t", tc.reason, tc.connected, got)
		}
	}
	cluster := &api.CephCluster{Status: api.ClusterStatus{Connection: &api.Connection{}, Conditions: []api.Condition{
		{Type: api.ConditionManagerActive, Status: metav1.ConditionFalse, Reason: api.ReasonMonitorsStarting}}}}
	if Await(cluster, api.ConditionManagerActive).IsDone() {
		t.Error("another condition is taken for True")
	}
}
