package report_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/report"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func fs(name string, status metav1.ConditionStatus, reason, message string) api.CephFilesystem {
	found := api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if status != "" {
		found.Status = &api.CephFilesystemStatus{Conditions: []api.Condition{{Type: api.ConditionReady, Status: status, Reason: reason, Message: message}}}
	}
	return found
}

func TestServing(t *testing.T) {
	ready := fs("a", metav1.ConditionTrue, api.ReasonAsExpected, "")
	updating := fs("b", metav1.ConditionTrue, api.ReasonUpgrading, "Waiting for b-a to come back")
	broken := fs("c", metav1.ConditionFalse, api.ReasonFilesystemsStarting, "0 of 1 ranks are served")
	going := fs("d", metav1.ConditionFalse, api.ReasonDependents, "Still there")
	now := metav1.Now()
	going.DeletionTimestamp = &now
	for name, tc := range map[string]struct {
		list            []api.CephFilesystem
		status          metav1.ConditionStatus
		reason, message string
	}{
		"there_is_none":              {nil, metav1.ConditionTrue, api.ReasonNotRequested, ""},
		"all_are_ready":              {[]api.CephFilesystem{ready}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
		"one_is_updated":             {[]api.CephFilesystem{ready, updating}, metav1.ConditionTrue, api.ReasonUpgrading, "Updating the metadata servers of b"},
		"one_is_not_ready":           {[]api.CephFilesystem{updating, broken}, metav1.ConditionFalse, api.ReasonFilesystemsStarting, "CephFilesystem c: 0 of 1 ranks are served"},
		"one_is_new":                 {[]api.CephFilesystem{fs("e", "", "", "")}, metav1.ConditionFalse, api.ReasonFilesystemsStarting, "CephFilesystem e is not reported on yet"},
		"one_that_goes_is_not_meant": {[]api.CephFilesystem{ready, going}, metav1.ConditionTrue, api.ReasonAsExpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := report.Serving(tc.list, 7)
			if got.Status != tc.status || got.Reason != tc.reason || got.Message != tc.message || got.ObservedGeneration != 7 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCommonImage(t *testing.T) {
	running := func(image string, available int32) appsv1.Deployment {
		d := appsv1.Deployment{Status: appsv1.DeploymentStatus{UpdatedReplicas: 1, AvailableReplicas: available}}
		d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "mds", Image: image}}
		return d
	}
	for name, tc := range map[string]struct {
		list []appsv1.Deployment
		want string
	}{
		"all_run_the_same": {[]appsv1.Deployment{running("x", 1), running("x", 1)}, "x"},
		"two_differ":       {[]appsv1.Deployment{running("x", 1), running("y", 1)}, ""},
		"one_does_not_run": {[]appsv1.Deployment{running("x", 1), running("x", 0)}, ""},
		"there_are_none":   {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := report.CommonImage(tc.list); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
