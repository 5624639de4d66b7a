package setup

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/names"
)

// TestAMonitorThatWasStoppedReturnsWhenTheMajorityIsLost loses two of five
// monitors in the moment in which a third was stopped to be removed.
func TestAMonitorThatWasStoppedReturnsWhenTheMajorityIsLost(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	l.count(5)
	l.settle()
	l.count(3)
	for !l.deploymentGone("e") {
		l.must(l.pass())
	}
	l.sync(l.ctx)
	l.guard.born = false // the loss is ours
	l.ceph.LoseMon("c")
	l.ceph.LoseMon("d")
	l.settle()
	if !l.deploymentGone("e") || slices.Contains(l.ceph.MonNames(), "f") {
		t.Errorf("something was changed at once without a majority: %v", l.ceph.MonNames())
	}
	l.clock.SetTime(l.clock.Now().Add(3 * time.Minute))
	l.settle()
	if l.deploymentGone("e") || len(l.ceph.MonNames()) != 5 {
		t.Fatalf("monitor e was not started again; monitors %v are in the map", l.ceph.MonNames())
	}
	l.ceph.ReturnMon("c")
	l.ceph.ReturnMon("d")
	l.settle()
	if got := l.ceph.MonNames(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("monitors %v are in the map, want a, b, c", got)
	}
	l.nothingIsLeft(chapter{name: "majority", mons: "a b c"})
}

func (l *lab) deploymentGone(mon string) bool {
	l.t.Helper()
	err := l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: names.Mon(mon)}, &appsv1.Deployment{})
	l.must(client.IgnoreNotFound(err))
	return apierrors.IsNotFound(err)
}
