package zone

import (
	"context"
	"fmt"
	"time"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// mark is what a settled zone is recognized by.
type mark struct {
	generation, clusterGeneration int64
	fsid                          string
	osdEpoch                      uint64
}

// view is what is known of a settled zone.
type view struct {
	mark  mark
	since time.Time
	drift []string
}

// check refuses a spec that lacks what a zone needs. Admission lets it pass, since
// objects of an earlier installation may have it.
func (p *pass) check(context.Context) (step.Outcome, error) {
	spec := &p.zone.Spec
	switch {
	case !spec.SharedPools.Wanted() && (!spec.MetadataPool.Wanted() || !spec.DataPool.Wanted()):
		return step.Stall(api.ReasonInvalidSpec, "A zone needs pools; set `metadataPool` and `dataPool`, or `sharedPools`"), nil
	case spec.SharedPools.Wanted() && !zonepools.HasDefault(spec.SharedPools):
		return step.Stall(api.ReasonInvalidSpec, "`sharedPools` needs `metadataPoolName` and `dataPoolName`, or a placement that is the default"), nil
	}
	return step.Done, nil
}

// awaitZoneGroup waits for the zone group, and learns the realm from it.
func (p *pass) awaitZoneGroup(ctx context.Context) (step.Outcome, error) {
	var group api.CephObjectZoneGroup
	outcome, err := p.Parent(ctx, "CephObjectZoneGroup", p.zone.Spec.ZoneGroup, &group)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.realm = group.Spec.Realm
	return p.AwaitReady("CephObjectZoneGroup", group.Name, group.Status), nil
}

// look asks Ceph once whether anything has changed since the zone was found settled.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	status, err := p.Ceph.Status(ctx)
	if err != nil {
		return step.None, fmt.Errorf("read status: %w", err)
	}
	p.mark = mark{p.zone.Generation, p.Cluster.Generation, status.FSID, status.OSDMap.Epoch}
	found, _ := p.r.known.Load(p.zone.UID)
	if known, is := found.(*view); is && known.mark == p.mark && p.Clock.Since(known.since) < review {
		p.settled, p.Drift = true, known.drift
	}
	return step.Done, nil
}

// note remembers how the zone looks when all is done.
func (p *pass) note(context.Context) (step.Outcome, error) {
	if !p.settled {
		p.r.known.Store(p.zone.UID, &view{mark: p.mark, since: p.Clock.Now(), drift: p.Drift})
	}
	return step.Done, nil
}
