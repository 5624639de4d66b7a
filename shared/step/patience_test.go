package step

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

var slow, other = types.NamespacedName{Name: "slow"}, types.NamespacedName{Name: "other"}

// retried is a report of a step that is tried each second.
func retried(step, reason, message string) Report {
	return Report{Outcome: Retry(time.Second, reason, message), Step: step}
}

func TestTheSameIsLookedAtLessAndLess(t *testing.T) {
	var patience Patience
	now, begun := time.Unix(0, 0), time.Unix(0, 0)
	var seen []time.Duration
	for now.Sub(begun) < 90*time.Second {
		next := patience.Result(slow, retried("ranks", "Scaling", "Waiting for rank 1"), now).RequeueAfter
		seen = append(seen, next.Round(100*time.Millisecond))
		now = now.Add(next)
	}
	var want []time.Duration
	for _, s := range []float64{1, 1, 1, 1, 1, 1, 1.2, 1.4, 1.7, 2.1, 2.5, 3, 3.6, 4.3, 5.2, 6.2, 7.4, 8.9, 10, 10, 10, 10} {
		want = append(want, time.Duration(s*float64(time.Second)))
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("intervals (-want +got):\n%s", diff)
	}
}

func TestSomethingElseIsLookedAtSoon(t *testing.T) {
	long := retried("ranks", "Scaling", "Waiting for rank 1")
	tests := map[string]Report{
		"another step":    retried("serve", "Scaling", "Waiting for rank 1"),
		"another reason":  retried("ranks", "Upgrading", "Waiting for rank 1"),
		"another message": retried("ranks", "Scaling", "Waiting for rank 2"),
	}
	for name, report := range tests {
		t.Run(name, func(t *testing.T) {
			var patience Patience
			now := time.Unix(0, 0)
			patience.Result(slow, long, now)
			now = now.Add(time.Hour)
			if got := patience.Result(slow, long, now).RequeueAfter; got != longest {
				t.Errorf("after an hour: %v", got)
			}
			if got := patience.Result(slow, report, now).RequeueAfter; got != time.Second {
				t.Errorf("got %v", got)
			}
			if got := patience.Result(slow, long, now).RequeueAfter; got != time.Second {
				t.Errorf("what was waited for before: %v", got)
			}
		})
	}
}

func TestAnObjectThatWasDoneBeginsAnew(t *testing.T) {
	long := retried("ranks", "Scaling", "Waiting for rank 1")
	var patience Patience
	now := time.Unix(0, 0)
	for _, between := range []Report{{Outcome: Done}, {Outcome: Wait("Starting", "Waiting")}, {Err: errors.New("boom")}} {
		patience.Result(slow, long, now)
		now = now.Add(time.Hour)
		if got := patience.Result(slow, between, now).RequeueAfter; got != 0 {
			t.Errorf("%+v is looked at after %v", between, got)
		}
		if got := patience.Result(slow, long, now).RequeueAfter; got != time.Second {
			t.Errorf("after %+v: %v", between, got)
		}
	}
	if got := patience.Result(other, long, now.Add(time.Hour)).RequeueAfter; got != time.Second {
		t.Errorf("another object waits %v", got)
	}
	if got := patience.Result(slow, Report{Outcome: Retry(time.Minute, "Refused", "Ceph refuses")}, now).RequeueAfter; got != time.Minute {
		t.Errorf("a step that asks for a minute waits %v", got)
	}
}
