package health

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func check(muted bool, summary string, details ...string) ceph.HealthCheck {
	c := ceph.HealthCheck{Severity: "HEALTH_WARN", Summary: ceph.HealthSummary{Message: summary}, Muted: muted}
	for _, line := range details {
		c.Detail = append(c.Detail, ceph.HealthDetail{Message: line})
	}
	return c
}

func TestSpaceNamesWhatIsFullAndWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		checks          map[string]ceph.HealthCheck
		status          metav1.ConditionStatus
		reason, message string
	}{
		"nothing is full": {
			map[string]ceph.HealthCheck{"OSD_DOWN": check(false, "1 osds down")}, metav1.ConditionTrue, "AsExpected", ""},
		"an OSD is nearly full": {
			map[string]ceph.HealthCheck{"OSD_NEARFULL": check(false, "2 nearfull osd(s)", "osd.2 is near full", "osd.1 is near full")},
			metav1.ConditionFalse, "OSD_NEARFULL", "osd.1 is near full, osd.2 is near full; add disks, or delete data"},
		"the gravest comes first": {
			map[string]ceph.HealthCheck{"POOL_NEARFULL": check(false, "1 pool(s) nearfull"), "OSD_FULL": check(false, "1 full osd(s)", "osd.0 is full")},
			metav1.ConditionFalse, "OSD_FULL", "osd.0 is full; add disks, or delete data"},
		"without details the summary stands": {
			map[string]ceph.HealthCheck{"POOL_FULL": check(false, "1 pool(s) full")},
			metav1.ConditionFalse, "POOL_FULL", "1 pool(s) full; add disks, or delete data"},
		"somebody muted it": {
			map[string]ceph.HealthCheck{"OSD_NEARFULL": check(true, "1 nearfull osd(s)")}, metav1.ConditionTrue, "AsExpected", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Space(ceph.Health{Checks: tc.checks}, 7)
			if got.Status != tc.status || got.Reason != tc.reason || got.Message != tc.message || got.ObservedGeneration != 7 {
				t.Errorf("got %+v", got)
			}
			if short(ceph.Health{Checks: tc.checks}) != (tc.status == metav1.ConditionFalse) {
				t.Error("details are asked for when nothing is full, or not asked for")
			}
		})
	}
}
