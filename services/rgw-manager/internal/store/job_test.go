package store

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// runs remembers what it was asked for, and does it at once.
type runs struct{ asked []rgwadmin.Wanted }

func (r *runs) Ensure(_ context.Context, _ *api.CephCluster, _ client.Object, wanted rgwadmin.Wanted) (rgwadmin.Result, step.Outcome, error) {
	r.asked = append(r.asked, wanted)
	return rgwadmin.Result{Known: rgwadmin.Known{RealmID: "r", ZoneGroupID: "g", ZoneID: "z"}}, step.Done, nil
}

func someWish() Wish {
	return Wish{
		Site: gateway.Site{Realm: "my-store", ZoneGroup: "my-store", Zone: "my-store"}, Own: true,
		Endpoints: []string{"http://x:80"}, AdminOps: "admin-ops", Keys: "1",
	}
}

func TestAJobRunsOnceForAWishAndAgainForChangedKeys(t *testing.T) {
	runner := &runs{}
	jobs := Jobs{Runner: runner}
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "my-store"}}
	ensure := func(wish Wish) {
		t.Helper()
		done, outcome, err := jobs.Ensure(t.Context(), &api.CephCluster{}, store, wish)
		if err != nil || !outcome.IsDone() {
			t.Fatalf("%+v, %v", outcome, err)
		}
		store.Status = &api.CephObjectStoreStatus{Setup: &done}
	}
	ensure(someWish())
	ensure(someWish())
	if len(runner.asked) != 1 || store.Status.Setup.ZoneID != "z" {
		t.Fatalf("%d Jobs, and the status is %+v", len(runner.asked), store.Status.Setup)
	}
	changed := someWish()
	changed.Keys = "2"
	ensure(changed)
	if len(runner.asked) != 2 || runner.asked[1].Known.ZoneID != "z" {
		t.Fatalf("%d Jobs after the keys had changed: %+v", len(runner.asked), runner.asked)
	}
	gone := someWish()
	gone.Gone = true
	ensure(gone)
	ensure(gone)
	if last := runner.asked[len(runner.asked)-1]; len(runner.asked) != 3 || last.Remove != rgwadmin.RemoveAll || last.Known.RealmID != "r" {
		t.Errorf("%d Jobs, the last for %+v", len(runner.asked), last)
	}
}

func TestTheLastStoreOfAZoneNeedsNoJobToGo(t *testing.T) {
	runner := &runs{}
	jobs := Jobs{Runner: runner}
	wish := someWish()
	wish.Own, wish.Gone, wish.Endpoints = false, true, nil
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "my-store"}}
	if _, outcome, err := jobs.Ensure(t.Context(), &api.CephCluster{}, store, wish); err != nil || !outcome.IsDone() || len(runner.asked) != 0 {
		t.Errorf("%+v, %v, %d Jobs", outcome, err, len(runner.asked))
	}
}

func TestWishesAreWordedForCeph(t *testing.T) {
	shared := &api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data"}
	inZone, inShared, going := someWish(), someWish(), someWish()
	inZone.Own = false
	inShared.Shared, inShared.DefaultRealm, inShared.Hostnames = shared, true, []string{"s3.example.com"}
	going.Gone, going.Shared = true, shared
	users := Wanted(someWish()).Users
	if len(users) != 1 || users[0].ID != "rgw-admin-ops-user" || users[0].Keys != (rgwadmin.KeyRef{Secret: "admin-ops", AccessKey: "accessKey", SecretKey: "secretKey"}) {
		t.Errorf("users: %+v", users)
	}
	for name, test := range map[string]struct {
		wish Wish
		want rgwadmin.Wanted
	}{
		"a zone of another object is not made": {inZone, rgwadmin.Wanted{
			Realm: rgwadmin.Realm{Name: "my-store", Required: true}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "my-store", Required: true},
			Zone: &rgwadmin.Zone{Name: "my-store", Endpoints: []string{"http://x:80"}, Required: true}, Users: users, Keys: "1",
		}},
		"shared pools have namespaces": {inShared, rgwadmin.Wanted{
			Realm: rgwadmin.Realm{Name: "my-store", Default: true}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "my-store", Hostnames: []string{"s3.example.com"}},
			Zone: &rgwadmin.Zone{Name: "my-store", Endpoints: []string{"http://x:80"}, MetadataPool: "meta", DefaultPlacement: "default-placement",
				Placements: []rgwadmin.Placement{{Name: "default-placement", IndexPool: "meta:my-store.buckets.index",
					DataPool: "data:my-store.buckets.data", ExtraPool: "meta:my-store.buckets.non-ec"}}}, Users: users, Keys: "1",
		}},
		"what goes is purged": {going, rgwadmin.Wanted{
			Realm: rgwadmin.Realm{Name: "my-store"}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "my-store"}, Remove: rgwadmin.RemoveAll,
			Zone: &rgwadmin.Zone{Name: "my-store", Endpoints: []string{"http://x:80"}, MetadataPool: "meta", DefaultPlacement: "default-placement", Purge: true,
				Placements: []rgwadmin.Placement{{Name: "default-placement", IndexPool: "meta:my-store.buckets.index",
					DataPool: "data:my-store.buckets.data", ExtraPool: "meta:my-store.buckets.non-ec"}}},
		}},
	} {
		if diff := cmp.Diff(test.want, Wanted(test.wish)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
