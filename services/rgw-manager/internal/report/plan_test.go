package report_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/report"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func some(name string, status metav1.ConditionStatus, reason, message string) api.CephObjectStore {
	store := api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if status != "" {
		store.Status = &api.CephObjectStoreStatus{Conditions: []api.Condition{{Type: api.ConditionReady, Status: status, Reason: reason, Message: message}}}
	}
	return store
}

func TestServing(t *testing.T) {
	deleting := some("going", metav1.ConditionFalse, "Dependents", "no")
	deleting.DeletionTimestamp = &metav1.Time{}
	deleting.DeletionTimestamp.Time = deleting.DeletionTimestamp.AddDate(2026, 0, 0)
	refused := some("refused", metav1.ConditionFalse, api.ReasonNameTaken, "no")
	refused.Status.Conditions = append(refused.Status.Conditions, api.Condition{Type: api.ConditionStalled, Status: metav1.ConditionTrue})
	lost := *refused.DeepCopy()
	lost.Status.Setup = &api.ObjectSetupStatus{}
	for name, test := range map[string]struct {
		list    []api.CephObjectStore
		status  metav1.ConditionStatus
		reason  string
		message string
	}{
		"none_is_asked_for":   {nil, metav1.ConditionTrue, api.ReasonNotRequested, ""},
		"all_are_served":      {[]api.CephObjectStore{some("a", metav1.ConditionTrue, "AsExpected", "")}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
		"one_is_new":          {[]api.CephObjectStore{some("a", "", "", "")}, metav1.ConditionFalse, api.ReasonGatewaysStarting, "CephObjectStore a is not reported on yet"},
		"one_waits":           {[]api.CephObjectStore{some("a", metav1.ConditionFalse, "X", "why")}, metav1.ConditionFalse, api.ReasonGatewaysStarting, "CephObjectStore a: why"},
		"one_is_updated":      {[]api.CephObjectStore{some("a", metav1.ConditionTrue, api.ReasonUpgrading, "")}, metav1.ConditionTrue, api.ReasonUpgrading, "gateways of a"},
		"one_is_refused":      {[]api.CephObjectStore{refused, some("a", metav1.ConditionTrue, "AsExpected", "")}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
		"one_lost_service":    {[]api.CephObjectStore{lost}, metav1.ConditionFalse, api.ReasonGatewaysStarting, "no"},
		"one_has_no_zone":     {[]api.CephObjectStore{some("a", metav1.ConditionFalse, api.ReasonParentMissing, "why")}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
		"one_that_goes_is_no": {[]api.CephObjectStore{deleting}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := report.Serving(test.list, 3)
			if got.Status != test.status || got.Reason != test.reason || !strings.Contains(got.Message, test.message) || got.ObservedGeneration != 3 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func running(image string, wanted, updated, all int32) appsv1.Deployment {
	d := appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: ptr.To(wanted)}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "rgw", Image: image}}
	d.Status = appsv1.DeploymentStatus{UpdatedReplicas: updated, AvailableReplicas: updated, Replicas: all}
	return d
}

func TestTheImageIsThatOfAllGateways(t *testing.T) {
	for name, test := range map[string]struct {
		list []appsv1.Deployment
		want string
	}{
		"all_run_the_same":        {[]appsv1.Deployment{running("x", 2, 2, 2), running("x", 1, 1, 1)}, "x"},
		"two_differ":              {[]appsv1.Deployment{running("x", 1, 1, 1), running("y", 1, 1, 1)}, ""},
		"an_old_one_still_runs":   {[]appsv1.Deployment{running("x", 1, 1, 2)}, ""},
		"one_is_yet_to_come":      {[]appsv1.Deployment{running("x", 2, 1, 1)}, ""},
		"one_has_no_gateways":     {[]appsv1.Deployment{running("x", 1, 1, 1), running("old", 0, 0, 0)}, "x"},
		"there_are_none_at_all":   {nil, ""},
		"the_only_one_is_at_rest": {[]appsv1.Deployment{running("x", 0, 0, 0)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := report.CommonImage(test.list); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheVersionIsTheOnlyOneThatGatewaysRun(t *testing.T) {
	old, fresh := "ceph version 18.2.7 (a) reef (stable)", "ceph version 20.2.4 (b) tentacle (stable)"
	for name, test := range map[string]struct {
		rgw  map[string]int
		want string
	}{
		"one":     {map[string]int{old: 3}, "18.2.7-0"},
		"several": {map[string]int{old: 1, fresh: 1}, ""},
		"none":    {nil, ""},
	} {
		if got := report.CommonVersion(ceph.Versions{"rgw": test.rgw, "osd": {fresh: 3}}); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
