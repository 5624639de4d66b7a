package serving_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/serving"
)

func TestSum(t *testing.T) {
	object := func(name string, status metav1.ConditionStatus, reason, message string) serving.Object {
		return serving.Object{Kind: "CephFilesystem", Name: name,
			Conditions: []api.Condition{{Type: api.ConditionReady, Status: status, Reason: reason, Message: message}}}
	}
	ready := object("a", metav1.ConditionTrue, api.ReasonAsExpected, "")
	updating := object("b", metav1.ConditionTrue, api.ReasonUpgrading, "Waiting for b-a to come back")
	broken := object("c", metav1.ConditionFalse, api.ReasonFilesystemsStarting, "0 of 1 ranks are served")
	going := object("d", metav1.ConditionFalse, api.ReasonDependents, "Still there")
	going.Going = true
	for name, tc := range map[string]struct {
		list            []serving.Object
		status          metav1.ConditionStatus
		reason, message string
	}{
		"there_is_none":              {nil, metav1.ConditionTrue, api.ReasonNotRequested, ""},
		"all_are_ready":              {[]serving.Object{ready}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
		"one_is_updated":             {[]serving.Object{ready, updating}, metav1.ConditionTrue, api.ReasonUpgrading, "Updating the metadata servers of b"},
		"one_is_not_ready":           {[]serving.Object{updating, broken}, metav1.ConditionFalse, api.ReasonFilesystemsStarting, "CephFilesystem c: 0 of 1 ranks are served"},
		"one_is_new":                 {[]serving.Object{{Kind: "CephFilesystem", Name: "e"}}, metav1.ConditionFalse, api.ReasonFilesystemsStarting, "CephFilesystem e is not reported on yet"},
		"one_that_goes_is_not_meant": {[]serving.Object{ready, going}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			words := serving.Words{Condition: api.ConditionFilesystemsServing, Starting: api.ReasonFilesystemsStarting, Daemons: "metadata servers"}
			got := serving.Sum(words, tc.list, 7)
			if got.Type != api.ConditionFilesystemsServing || got.Status != tc.status || got.Reason != tc.reason || got.Message != tc.message ||
				got.ObservedGeneration != 7 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
