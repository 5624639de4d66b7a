package mgr

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestTheTokenIsKeptUntilTheLastManagerIsBack(t *testing.T) {
	owner := cluster()
	owner.UID = "1"
	kube := testenv.Fake(t, owner.DeepCopy()).Build()
	now := clocktesting.NewFakePassiveClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	p := &pass{
		Reconciler: &Reconciler{
			Client: kube, Clock: now, Events: &events.FakeRecorder{},
			Token: disruption.Token{Client: kube, Service: Name, Duration: 3 * time.Minute},
		},
		cluster: owner, apply: apply.Applier{Client: kube, Manager: Name},
	}
	restarting := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: names.Mgr("a"), Generation: 2}}
	restarting.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}
	p.seen.deployments = map[string]*appsv1.Deployment{"a": restarting}
	if grant, err := p.Token.Acquire(t.Context(), owner, purpose, now.Now()); err != nil || !grant.Held {
		t.Fatal(grant, err)
	}
	osd := disruption.Token{Client: kube, Service: "osd-manager"}
	turn := func() disruption.Grant {
		t.Helper()
		if _, err := p.keepToken(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.writeStatus(t.Context(), step.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
		grant, err := osd.Acquire(t.Context(), owner, "restarting OSDs", now.Now())
		if err != nil {
			t.Fatal(err)
		}
		now.SetTime(now.Now().Add(2 * time.Minute))
		return grant
	}
	for range 5 {
		if grant := turn(); grant.Held || !p.disturbing {
			t.Fatalf("somebody else disturbs while manager a restarts: %+v", grant)
		}
	}
	restarting.Status.ObservedGeneration = 2
	if grant := turn(); !grant.Held {
		t.Errorf("the token is not given back: %+v", grant)
	}
}

func TestAManagerThatIsLeftAloneKeepsNoToken(t *testing.T) {
	p := &pass{cluster: cluster()}
	p.seen.deployments = map[string]*appsv1.Deployment{"a": {ObjectMeta: metav1.ObjectMeta{
		Generation: 2, Labels: map[string]string{names.LabelDoNotReconcile: ""},
	}}}
	if got := p.restarting(); len(got) != 0 {
		t.Errorf("%v are waited for", got)
	}
}
