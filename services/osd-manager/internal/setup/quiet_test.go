package setup_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// quorum makes mon-manager report whether the mons are in quorum.
func (w *world) quorum(status metav1.ConditionStatus) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	cluster := w.live()
	api.FindCondition(cluster.Status.Conditions, api.ConditionMonitorsInQuorum).Status = status
	w.check(w.kube.Status().Update(w.t.Context(), cluster))
}

func TestAWaitForTheMonitorsIsNoWarningOfOurs(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.told()
	w.quorum(metav1.ConditionFalse)
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

func TestASuccessorKeepsTheUsageThatWasPublished(t *testing.T) {
	const question = "osd df"
	w := newWorld(t, 2)
	w.settle()
	published := w.osds()[0].Status.Used
	if published == "" {
		t.Fatal("no usage was published")
	}
	w.restart()
	asked, written := w.ceph.Sent(question), w.writes
	for range 3 {
		w.check(w.pass())
	}
	if w.ceph.Sent(question) != asked || w.writes != written {
		t.Errorf("the successor asked %d and wrote %d times", w.ceph.Sent(question)-asked, w.writes-written)
	}
	if now := w.osds()[0].Status.Used; now != published {
		t.Errorf("usage was %s, now it is %q", published, now)
	}
	w.clock.SetTime(w.clock.Now().Add(6 * time.Minute))
	w.check(w.pass())
	if w.ceph.Sent(question) == asked {
		t.Error("the successor never asks")
	}
}
