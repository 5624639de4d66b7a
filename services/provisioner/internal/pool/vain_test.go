package pool_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

func TestReconcile_tells_what_Ceph_does_not_keep_and_slows_down(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named(param("min_size", "1")))
	// Ceph takes the value and someone takes it away again at once.
	undo := func() {
		if err := w.ceph.Client().PoolSet(t.Context(), "data", "min_size", "2", ceph.Unconfirmed); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	passes := 0
	for ; passes < 5; passes++ {
		undo()
		result, err := w.pass()
		if err != nil {
			t.Fatal(err)
		}
		if result.RequeueAfter >= 30*time.Second {
			break
		}
	}
	if passes != 1 {
		t.Errorf("slowed down after %d passes, want after the second one", passes+1)
	}
	p := w.get()
	w.expect(p, api.ConditionReady, metav1.ConditionFalse, "NotTaken")
	if c := condition.Find(p.Status.Conditions, api.ConditionReady); !strings.Contains(c.Message, "Ceph reports 2 for `min_size`, not 1") {
		t.Errorf("message %q", c.Message)
	}
	p = w.settle() // nobody interferes any more
	w.expect(p, api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	undo()
	if result, err := w.pass(); err != nil || result.RequeueAfter > time.Second {
		t.Errorf("the first repair of a settled pool was slow: %v, %v", result.RequeueAfter, err)
	}
}

func TestReconcile_does_not_hurry_when_there_is_no_rule_to_share(t *testing.T) {
	t.Parallel()
	noRoom := func(w *world) time.Duration {
		w.ceph.FailNext("osd crush rule create-replicated", ceph.NewError("osd crush rule create-replicated", int(syscall.ENOSPC), "no room"))
		result, err := w.pass()
		if err != nil {
			t.Fatal(err)
		}
		w.expect(w.get(), api.ConditionReady, metav1.ConditionFalse, "TooManyRules")
		return result.RequeueAfter
	}
	w := newWorld(t, named(func(p *api.CephBlockPool) { p.Spec.FailureDomain = "osd" }))
	if after := noRoom(w); after > time.Second {
		t.Errorf("looks for a rule to share after %s", after)
	}
	for i := range 100 {
		spec := ceph.CrushRuleSpec{Name: fmt.Sprintf("rule-%d", i), Root: "default", FailureDomain: "host"}
		if err := w.ceph.Client().CrushRuleCreateReplicated(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	if after := noRoom(w); after < 30*time.Second {
		t.Errorf("tries again after %s", after)
	}
}

func TestReconcile_asks_once_for_another_number_of_placement_groups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named(param("pg_autoscale_mode", "off"), param("pg_num", "8")))
	p := w.settle()
	p.Spec.Parameters["pg_num"] = "12"
	p.Generation++
	if err := w.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	w.ceph.ForgetCommands()
	w.expect(w.settle(), api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	for w.ceph.MovePGs() {
		w.expect(w.settle(), api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	}
	if made, _ := w.ceph.Pool("data"); made.PGNum != 12 || w.ceph.Sent("osd pool set") != 1 {
		t.Errorf("%d placement groups after %d commands", made.PGNum, w.ceph.Sent("osd pool set"))
	}
}
