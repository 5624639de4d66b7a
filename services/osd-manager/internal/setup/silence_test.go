package setup_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestOneLostAnswerDoesNotStopOthers(t *testing.T) {
	for question, failure := range map[string]error{
		"connect": ceph.ErrUnreachable, "status": ceph.ErrUnreachable, "osd dump": ceph.ErrUnreachable,
		"osd metadata": ceph.ErrUnreachable, "osd crush class ls": ceph.ErrUnreachable, "osd df": ceph.ErrInvalid,
	} {
		t.Run(question, func(t *testing.T) {
			w := newWorld(t, 2)
			w.settle()
			before := w.live().Status
			w.restart() // it has to ask for everything again
			w.clock.SetTime(w.clock.Now().Add(time.Hour))
			written := w.writes
			w.ceph.FailNext(question, failure)
			w.check(w.pass())
			if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
				t.Errorf("OSDsServing: %+v", c)
			}
			if now := w.live().Status; *now.OSDs != *before.OSDs || now.Daemons[api.RoleOSD] != before.Daemons[api.RoleOSD] {
				t.Errorf("what was known is gone: %+v", now)
			}
			w.check(w.pass())
			if w.writes != written {
				t.Errorf("%d writes because of one lost answer", w.writes-written)
			}
		})
	}
}

func TestALongSilenceIsReportedAndEnds(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	silence := func(lasting time.Duration) {
		for range lasting / (10 * time.Second) {
			w.ceph.FailNext("status", ceph.ErrUnreachable)
			w.check(w.pass())
			w.clock.SetTime(w.clock.Now().Add(10 * time.Second))
		}
	}
	silence(time.Minute)
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
		t.Errorf("within the grace time: %+v", c)
	}
	silence(20 * time.Second)
	c := w.condition(api.ConditionOSDsServing)
	if c.Status != metav1.ConditionFalse || c.Reason != "Error" || !strings.Contains(c.Message, "status") {
		t.Errorf("after it: %+v", c)
	}
	w.check(w.pass())
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
		t.Errorf("after an answer: %+v", c)
	}
	silence(30 * time.Second)
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
		t.Errorf("another silence gets no grace time of its own: %+v", c)
	}
}

func TestARefusedReleaseIsAnEventAndNoOutage(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.told()
	w.ceph.Upgrade("20.2.4")
	w.ceph.StartOSD(0, startOn("node1"))
	for range 3 {
		w.ceph.FailNext("osd require-osd-release", ceph.ErrDenied)
	}
	refused := func() int {
		count := 0
		for _, text := range w.told() {
			if strings.HasPrefix(text, "Warning ReleaseRefused") {
				count++
			}
		}
		return count
	}
	w.ceph.ForgetCommands()
	for range 4 {
		w.check(w.pass())
		if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
			t.Fatalf("OSDsServing: %+v", c)
		}
	}
	if told, sent := refused(), w.ceph.Sent("osd require-osd-release"); told != 1 || sent != 1 {
		t.Errorf("%d events, asked %d times within a moment", told, sent)
	}
	for range 3 {
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		w.check(w.pass())
	}
	if told, sent := refused(), w.ceph.Sent("osd require-osd-release"); told != 0 || sent != 4 {
		t.Errorf("%d more events, asked %d times", told, sent)
	}
}
