package pools_test

import (
	"context"
	"strings"
	"testing"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// named are pools that are wanted, by name.
func named(names ...string) []pools.Want {
	list := make([]pools.Want, len(names))
	for i, name := range names {
		list[i] = wanted(replicated())
		list[i].Name, list[i].Application = name, "cephfs"
	}
	return list
}

func ensure(t *testing.T, cluster *cephtest.Cluster, list []pools.Want) (pools.Result, step.Outcome, error) {
	t.Helper()
	m, err := pools.Read(t.Context(), cluster.Client())
	if err != nil {
		t.Fatal(err)
	}
	return pools.Ensure(t.Context(), cluster.Client(), m, list)
}

func TestPoolsAreMadeAllAtOnceAndThenLeftAlone(t *testing.T) {
	cluster := threeHosts(t)
	both, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	here := make(chan struct{})
	for range 2 {
		cluster.Before("osd pool create", func() {
			select { // whoever comes first waits for the other
			case here <- struct{}{}:
			case <-here:
			case <-both.Done():
				t.Error("one pool is made after the other")
			}
		})
	}
	list := named("a", "b")
	for _, pass := range []string{"first", "second"} { // parameters that can be set on a pool only are set in a pass of their own
		if _, outcome, err := ensure(t, cluster, list); err != nil || !outcome.IsDone() {
			t.Fatalf("%s pass: %+v, %v", pass, outcome, err)
		}
	}
	if read := cluster.Sent("osd tree"); read != 1 {
		t.Errorf("the OSD tree was read %d times for two new pools", read)
	}
	writes := cluster.Writes()
	result, outcome, err := ensure(t, cluster, list)
	if err != nil || !outcome.IsDone() || result.Changes != "" || cluster.Writes() != writes {
		t.Errorf("settled pools: %+v, %+v, %v, %d writes", result, outcome, err, cluster.Writes()-writes)
	}
}

func TestNoPoolIsMadeWhileOneOfThemCannotBe(t *testing.T) {
	cluster := threeHosts(t)
	list := named("a", "b")
	list[1].Spec.DeviceClass = "nvme"
	cluster.ForgetCommands()
	result, outcome, err := ensure(t, cluster, list)
	if err != nil || outcome.Reason != api.ReasonTooFewFailureDomains || result.Changes != "" || cluster.Writes() != 0 {
		t.Errorf("%+v, %+v, %v, %d writes", result, outcome, err, cluster.Writes())
	}
}

func TestAPoolThatFailsStopsNoOther(t *testing.T) {
	cluster := threeHosts(t)
	cluster.FailNext("osd pool create", &ceph.Error{Status: "no"})
	if _, _, err := ensure(t, cluster, named("a", "b")); err == nil || !strings.Contains(err.Error(), "pool create") {
		t.Errorf("got %v", err)
	}
	m, err := pools.Read(t.Context(), cluster.Client())
	if err != nil || (m.Pools["a"] == nil) == (m.Pools["b"] == nil) {
		t.Errorf("%v, %v", m.Pools, err)
	}
}

func TestWhatIsDoneAgainAndAgainIsLookedAtLater(t *testing.T) {
	var tried pools.Tried
	for i, look := range []struct {
		changes string
		reason  string
		after   time.Duration
	}{
		{"a: size", "Configuring", pools.Again},
		{"a: size", "NotTaken", 30 * time.Second},
		{"b: size", "Configuring", pools.Again},
		{"", "", 0},
		{"b: size", "Configuring", pools.Again},
	} {
		outcome := tried.After("uid", look.changes)
		if outcome.IsDone() != (look.changes == "") || outcome.Reason != look.reason || outcome.After != look.after {
			t.Errorf("%d: got %+v", i, outcome)
		}
	}
}
