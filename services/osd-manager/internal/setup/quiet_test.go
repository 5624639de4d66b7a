package setup_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestAWaitForTheMonitorsIsNoWarningOfOurs(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.told()
	w.playing = true
	cluster := w.live()
	api.FindCondition(cluster.Status.Conditions, api.ConditionMonitorsInQuorum).Status = metav1.ConditionFalse
	w.check(w.kube.Status().Update(t.Context(), cluster))
	w.playing = false
	for range 3 {
		w.check(w.pass())
	}
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionFalse || c.Reason != "WaitingForMonitorsInQuorum" {
		t.Errorf("OSDsServing: %+v", c)
	}
	for _, text := range w.told() {
		if strings.HasPrefix(text, "Warning") {
			t.Errorf("warned: %s", text)
		}
	}
}
