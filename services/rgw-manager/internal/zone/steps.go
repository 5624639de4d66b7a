package zone

import (
	"context"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// applyPools makes the pools what the spec says. Pools that were changed are looked at
// once more.
func (p *pass) applyPools(ctx context.Context) (step.Outcome, error) {
	var err error
	if p.pools, err = pools.Read(ctx, p.Ceph); err != nil {
		return step.None, err
	}
	if p.zone.Spec.SharedPools.Wanted() {
		if outcome := zonepools.AwaitShared(p.pools, p.zone.Spec.SharedPools); !outcome.IsDone() {
			return outcome, nil
		}
	}
	result, outcome, err := zonepools.Ensure(ctx, p.Ceph, p.pools, p.wantedPools())
	p.Drift = append(p.Drift, result.Drift...)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.r.tried.After(p.zone.UID, result.Changes), nil
}

// wantedPools are the pools that are the zone's to make.
func (p *pass) wantedPools() []pools.Want {
	if p.zone.Spec.SharedPools.Wanted() {
		return zonepools.RootOnly()
	}
	return zonepools.Wanted(p.zone.Name, p.zone.Spec.MetadataPool, p.zone.Spec.DataPool)
}

func (p *pass) setUp(ctx context.Context) (step.Outcome, error) {
	return p.SetUp(ctx, Wanted(p.zone, p.realm))
}

// Wanted words the spec for Ceph. Without endpoints of its own the zone has those of
// the stores that serve it, which they set.
func Wanted(zone *api.CephObjectZone, realm string) rgwadmin.Wanted {
	wanted := &rgwadmin.Zone{Name: zone.Name, SystemKeys: multisite.RealmKeys(realm)}
	if len(zone.Spec.CustomEndpoints) > 0 {
		wanted.Endpoints = zone.Spec.CustomEndpoints
	}
	zonepools.Place(wanted, zone.Spec.SharedPools)
	return rgwadmin.Wanted{
		Realm:     rgwadmin.Realm{Name: realm, Required: true},
		ZoneGroup: &rgwadmin.ZoneGroup{Name: zone.Spec.ZoneGroup, Required: true},
		Zone:      wanted,
		Users:     []rgwadmin.User{multisite.SystemUser(realm)},
	}
}
