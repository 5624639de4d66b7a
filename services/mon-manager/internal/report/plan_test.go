package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
)

// with returns a cluster that asks for OSDs and reports the conditions as
// "Type" for True or "Type/Reason" for False.
func with(t *testing.T, reasons map[string]string) *api.CephCluster {
	t.Helper()
	c := &api.CephCluster{Spec: api.ClusterSpec{Storage: api.StorageScopeSpec{UseAllNodes: true}}}
	c.Status.Connection = &api.Connection{FSID: "f", MonHost: "h"}
	for _, typ := range []string{
		api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing, api.ConditionUsersReady, api.ConditionConfigApplied,
	} {
		status, reason := metav1.ConditionTrue, api.ReasonAsExpected
		if given, found := reasons[typ]; found {
			status, reason = metav1.ConditionFalse, given
		}
		c.Status.Conditions = append(c.Status.Conditions, condition.New(typ, status, reason, typ+" says "+reason, 1))
	}
	return c
}

func TestSummarize(t *testing.T) {
	now := metav1.NewTime(time.Unix(0, 0))
	for name, test := range map[string]struct {
		in        func(*testing.T) Input
		phase     api.Phase
		state     api.ClusterState
		message   string
		isTrue    []string
		isBlocked bool
	}{
		"a_whole_cluster": {
			func(t *testing.T) Input { return Input{Cluster: with(t, nil), Verdict: scope.Served} },
			api.PhaseReady, api.ClusterStateCreated, "Cluster created successfully", []string{"Ready"}, false,
		},
		"the_first_that_is_missing_is_told": {
			func(t *testing.T) Input {
				return Input{Cluster: with(t, map[string]string{api.ConditionOSDsServing: api.ReasonOSDsStarting, api.ConditionUsersReady: api.ReasonWaiting}), Verdict: scope.Served}
			},
			api.PhaseProgressing, api.ClusterStateUpdating, "OSDsServing says OSDsStarting", []string{"Reconciling", "Progressing"}, false,
		},
		"what_needs_a_person_stalls": {
			func(t *testing.T) Input {
				return Input{Cluster: with(t, map[string]string{api.ConditionMonitorsInQuorum: api.ReasonIdentityLost}), Verdict: scope.Served}
			},
			api.PhaseFailure, api.ClusterStateError, "MonitorsInQuorum says IdentityLost", []string{"Stalled", "Failure"}, false,
		},
		"an_update_leaves_it_ready": {
			func(t *testing.T) Input {
				c := with(t, nil)
				c.Status.Conditions[0].Reason = api.ReasonUpgrading
				return Input{Cluster: c, Verdict: scope.Served}
			},
			api.PhaseProgressing, api.ClusterStateUpdating, "MonitorsInQuorum says AsExpected", []string{"Ready", "Reconciling"}, false,
		},
		"an_image_that_cannot_be_used_stalls_though_all_serve": {
			func(t *testing.T) Input {
				c := with(t, nil)
				c.Status.Conditions[0].Reason = api.ReasonImageMissing
				return Input{Cluster: c, Verdict: scope.Served}
			},
			api.PhaseFailure, api.ClusterStateError, "MonitorsInQuorum says AsExpected", []string{"Stalled", "Failure"}, false,
		},
		"no_osds_are_awaited_when_none_are_asked_for": {
			func(t *testing.T) Input {
				c := with(t, map[string]string{api.ConditionOSDsServing: api.ReasonNoDisks})
				c.Spec.Storage = api.StorageScopeSpec{}
				return Input{Cluster: c, Verdict: scope.Served}
			},
			api.PhaseReady, api.ClusterStateCreated, "Cluster created successfully", []string{"Ready"}, false,
		},
		"a_second_cluster_of_a_namespace": {
			func(*testing.T) Input {
				return Input{Cluster: &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns"}}, Verdict: scope.Surplus, Older: "first"}
			},
			api.PhaseFailure, api.ClusterStateError, "Namespace ns belongs to CephCluster first already; create this one in a namespace of its own", []string{"Stalled", "Failure"}, false,
		},
		"a_new_cluster": {
			func(*testing.T) Input { return Input{Cluster: &api.CephCluster{}, Verdict: scope.Served} },
			api.PhaseProgressing, api.ClusterStateCreating, "Waiting for MonitorsInQuorum: nothing is reported yet", []string{"Reconciling", "Progressing"}, false,
		},
		"a_blocked_deletion_names_the_blockers": {
			func(t *testing.T) Input {
				c := with(t, nil)
				c.DeletionTimestamp = &now
				return Input{Cluster: c, Verdict: scope.Served, Blockers: []string{"CephBlockPool b", "CephBlockPool a"}}
			},
			api.PhaseDeleting, "", "Deletion waits for CephBlockPool b, CephBlockPool a", []string{"Reconciling", "Deleting", "DeletionIsBlocked"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Summarize(test.in(t))
			if got.Phase != test.phase || got.State != test.state || got.Message != test.message {
				t.Errorf("got %s, %s, %q; want %s, %s, %q", got.Phase, got.State, got.Message, test.phase, test.state, test.message)
			}
			var on []string
			for _, c := range got.Conditions {
				if c.Status == metav1.ConditionTrue {
					on = append(on, c.Type)
				}
			}
			if diff := cmp.Diff(test.isTrue, on); diff != "" {
				t.Errorf("conditions that are True (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryConditionOfTheSummaryIsOurs(t *testing.T) {
	now := metav1.NewTime(time.Unix(0, 0))
	c := with(t, nil)
	c.DeletionTimestamp = &now
	c.Spec.External.Enable = true
	for _, got := range Summarize(Input{Cluster: c}).Conditions {
		if api.Writer(got.Type) != Name {
			t.Errorf("%s is written by %s", got.Type, api.Writer(got.Type))
		}
	}
}
