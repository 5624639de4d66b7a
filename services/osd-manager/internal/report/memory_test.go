package report

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestPassingStatesAreTimedFromTheFirstLook(t *testing.T) {
	var m memory
	key, start := types.NamespacedName{Namespace: "ns", Name: "c"}, time.Unix(1000, 0)
	for i, look := range []struct {
		after   time.Duration
		present bool
		want    time.Duration
	}{
		{0, false, 0},
		{5 * time.Second, true, 0},
		{10 * time.Second, true, 5 * time.Second},
		{15 * time.Second, false, 0},
		{20 * time.Second, true, 0},
	} {
		if got := m.passing(key, look.present, start.Add(look.after)); got != look.want {
			t.Errorf("look %d: got %s, want %s", i, got, look.want)
		}
	}
}
