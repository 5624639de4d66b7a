package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestQuietRecorder_does_not_repeat_itself_in_a_moment(t *testing.T) {
	t.Parallel()
	heard := events.NewFakeRecorder(10)
	now := clocktesting.NewFakeClock(time.Unix(0, 0))
	recorder := &quietRecorder{EventRecorder: heard, scheme: scheme.Scheme, said: cache.NewExpiringWithClock(now)}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "pod", UID: "1", ResourceVersion: "1"}}
	tell := func(note string) {
		recorder.Eventf(pod, nil, corev1.EventTypeWarning, "NameTaken", "Reconcile", "%s", note)
	}
	tell("first")
	pod.ResourceVersion = "2"
	tell("first")
	tell("other words")
	pod.UID = "2"
	tell("other object")
	pod.UID = "1"
	now.Step(echo)
	tell("first")

	var got []string
	for len(heard.Events) > 0 {
		got = append(got, <-heard.Events)
	}
	want := []string{"Warning NameTaken first", "Warning NameTaken other words", "Warning NameTaken other object", "Warning NameTaken first"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if kept := recorder.said.Len(); kept != 1 {
		t.Errorf("%d old words are kept", kept-1)
	}
}
