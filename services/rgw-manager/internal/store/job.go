package store

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// administratorCaps are what the user may do that we manage a store as: all about
// users and buckets, and to see how far zones have got. Ceph 18 knows no accounts, and
// refuses the user that shall manage them.
const administratorCaps = "bilog=read;buckets=*;datalog=read;mdlog=read;metadata=read;usage=read;users=*;zone=read"

// Runner runs Jobs that make in Ceph what is wanted.
type Runner interface {
	Ensure(ctx context.Context, cluster *api.CephCluster, owner client.Object, wanted rgwadmin.Wanted) (rgwadmin.Result, step.Outcome, error)
}

// Jobs brings about with Jobs what stores wish.
type Jobs struct{ Runner Runner }

// Ensure implements Setup.
func (j Jobs) Ensure(ctx context.Context, cluster *api.CephCluster, store *api.CephObjectStore, wish Wish) (api.ObjectSetupStatus, step.Outcome, error) {
	wanted := Wanted(wish)
	var before api.ObjectSetupStatus
	if store.Status != nil && store.Status.Setup != nil {
		before = *store.Status.Setup
	}
	after := before
	after.Hash = wanted.Hash()
	if before.Hash == after.Hash || wish.Gone && !wish.Own && len(wish.Endpoints) == 0 {
		return after, step.Done, nil // a zone without any endpoint keeps its last ones
	}
	wanted.Known = rgwadmin.Known{RealmID: before.RealmID, ZoneGroupID: before.ZoneGroupID, ZoneID: before.ZoneID}
	result, outcome, err := j.Runner.Ensure(ctx, cluster, store, wanted)
	if err != nil || !outcome.IsDone() {
		return api.ObjectSetupStatus{}, outcome, err
	}
	if wanted.Remove == rgwadmin.Keep {
		after.RealmID, after.ZoneGroupID, after.ZoneID = result.Known.RealmID, result.Known.ZoneGroupID, result.Known.ZoneID
	}
	return after, step.Done, nil
}

// Wanted words a wish for Ceph.
func Wanted(wish Wish) rgwadmin.Wanted {
	zone := &rgwadmin.Zone{Name: wish.Site.Zone, Endpoints: wish.Endpoints, Required: !wish.Own}
	zonepools.Place(zone, wish.Shared)
	wanted := rgwadmin.Wanted{
		Realm:     rgwadmin.Realm{Name: wish.Site.Realm, Default: wish.DefaultRealm, Required: !wish.Own},
		ZoneGroup: &rgwadmin.ZoneGroup{Name: wish.Site.ZoneGroup, Hostnames: wish.Hostnames, Required: !wish.Own},
		Zone:      zone,
	}
	if wish.Own && wish.Gone {
		wanted.Remove = rgwadmin.RemoveAll
		zone.Purge = wish.Shared != nil && !wish.Shared.PreserveRadosNamespaceDataOnDelete
		return wanted
	}
	wanted.Keys = wish.Keys
	wanted.Users = []rgwadmin.User{{
		ID: names.AdminOpsUser, DisplayName: "RGW Admin Ops User", Caps: administratorCaps,
		Keys: rgwadmin.KeyRef{Secret: wish.AdminOps, AccessKey: names.AdminOpsAccessKey, SecretKey: names.AdminOpsSecretKey},
	}}
	return wanted
}
