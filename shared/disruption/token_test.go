package disruption_test

import (
	"context"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func cluster(name string) *api.CephCluster {
	return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: name, UID: "1"}}
}

// services returns the tokens of two services, and a clock.
func services(t *testing.T) (osd, mon disruption.Token) {
	kube := testenv.Fake(t).Build()
	return disruption.Token{Client: kube, Service: "osd-manager"}, disruption.Token{Client: kube, Service: "mon-manager"}
}

func acquire(t *testing.T, token disruption.Token, c *api.CephCluster, at time.Duration) disruption.Grant {
	t.Helper()
	grant, err := token.AcquireNoting(t.Context(), c, "work of "+token.Service, "note of "+token.Service, start.Add(at))
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

func TestOnlyOneServiceHoldsTheTokenOfACluster(t *testing.T) {
	osd, mon := services(t)
	if grant := acquire(t, osd, cluster("a"), 0); !grant.Held || grant.Note != "note of osd-manager" {
		t.Fatalf("%+v", grant)
	}
	if grant := acquire(t, mon, cluster("a"), time.Minute); grant != (disruption.Grant{By: "osd-manager", Purpose: "work of osd-manager"}) {
		t.Errorf("%+v", grant)
	}
	if grant := acquire(t, mon, cluster("b"), time.Minute); !grant.Held {
		t.Errorf("another cluster's token: %+v", grant)
	}
	if held, err := osd.Held(t.Context(), cluster("a"), start.Add(time.Minute)); !held || err != nil {
		t.Errorf("Held: %v, %v", held, err)
	}
	if held, err := mon.Held(t.Context(), cluster("a"), start.Add(time.Minute)); held || err != nil {
		t.Errorf("Held by another: %v, %v", held, err)
	}
}

func TestReleaseGivesTheTokenToTheNext(t *testing.T) {
	osd, mon := services(t)
	acquire(t, osd, cluster("a"), 0)
	if err := mon.Release(t.Context(), cluster("a")); err != nil {
		t.Fatal(err)
	}
	if grant := acquire(t, mon, cluster("a"), time.Second); grant.Held {
		t.Fatal("a service released the token of another")
	}
	if err := osd.Release(t.Context(), cluster("a")); err != nil {
		t.Fatal(err)
	}
	if grant := acquire(t, mon, cluster("a"), time.Second); !grant.Held || grant.Note != "note of mon-manager" {
		t.Errorf("%+v", grant)
	}
	if err := osd.Release(t.Context(), cluster("none")); err != nil {
		t.Errorf("release of what never was: %v", err)
	}
}

func TestATokenThatIsNotRenewedExpires(t *testing.T) {
	osd, mon := services(t)
	acquire(t, osd, cluster("a"), 0)
	acquire(t, osd, cluster("a"), 9*time.Minute)
	if grant := acquire(t, mon, cluster("a"), 11*time.Minute); grant.Held {
		t.Error("it expired although it was renewed")
	}
	if grant := acquire(t, mon, cluster("a"), 20*time.Minute); !grant.Held {
		t.Errorf("it did not expire: %+v", grant)
	}
	if grant := acquire(t, osd, cluster("a"), 20*time.Minute); grant.Held {
		t.Error("two services hold it")
	}
}

func TestTheNoteIsThatOfTheTaking(t *testing.T) {
	osd, _ := services(t)
	acquire(t, osd, cluster("a"), 0)
	grant, err := osd.AcquireNoting(t.Context(), cluster("a"), "work of osd-manager", "another", start.Add(8*time.Minute))
	if err != nil || grant.Note != "note of osd-manager" {
		t.Errorf("%+v, %v", grant, err)
	}
}

func TestRenewingWritesOnlyInTheSecondHalf(t *testing.T) {
	osd, _ := services(t)
	version := func() string {
		lease := &coordinationv1.Lease{}
		if err := osd.Client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "a-disruption"}, lease); err != nil {
			t.Fatal(err)
		}
		return lease.ResourceVersion
	}
	acquire(t, osd, cluster("a"), 0)
	first := version()
	acquire(t, osd, cluster("a"), 4*time.Minute)
	if version() != first {
		t.Error("written in the first half")
	}
	acquire(t, osd, cluster("a"), 6*time.Minute)
	if version() == first {
		t.Error("not renewed in the second half")
	}
}

func TestThePartsOfAServiceWaitForOneAnother(t *testing.T) {
	_, mds := services(t)
	one, other := mds, mds
	one.Part, other.Part = "one", "other"
	acquire(t, one, cluster("a"), 0)
	if grant := acquire(t, other, cluster("a"), time.Second); grant.Held || grant.By != "mon-manager/one" {
		t.Errorf("%+v", grant)
	}
	if err := other.Release(t.Context(), cluster("a")); err != nil {
		t.Fatal(err)
	}
	if held, err := one.Held(t.Context(), cluster("a"), start.Add(time.Second)); !held || err != nil {
		t.Errorf("Held: %t, %v", held, err)
	}
	if err := one.Release(t.Context(), cluster("a")); err != nil {
		t.Fatal(err)
	}
	if grant := acquire(t, other, cluster("a"), time.Second); !grant.Held {
		t.Errorf("%+v", grant)
	}
}

// frozen is a client whose reads are those of the past.
type frozen struct {
	client.Client
	lease coordinationv1.Lease
}

// Get returns the past.
func (f *frozen) Get(_ context.Context, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	f.lease.DeepCopyInto(obj.(*coordinationv1.Lease))
	return nil
}

func TestAStaleReadTakesNothing(t *testing.T) {
	osd, mon := services(t)
	acquire(t, osd, cluster("a"), 0)
	past := &frozen{Client: osd.Client}
	if err := osd.Client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "a-disruption"}, &past.lease); err != nil {
		t.Fatal(err)
	}
	acquire(t, osd, cluster("a"), 9*time.Minute) // renewed, which the stale cache does not see
	behind := disruption.Token{Client: past, Service: mon.Service}
	if grant := acquire(t, behind, cluster("a"), 11*time.Minute); grant.Held {
		t.Error("a stale cache took the token of a living holder")
	}
}
