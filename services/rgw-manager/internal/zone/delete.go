package zone

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// endSteps remove a zone. Whatever they were interrupted at, they begin anew.
func (p *pass) endSteps() []step.Step {
	return []step.Step{
		step.Named("stores", p.awaitStores),
		step.Named("cluster", p.FindForDeletion),
		step.Named("remove", p.remove),
		step.Named("pools", p.removePools),
		step.Named("release", p.release),
	}
}

// awaitStores waits for the objects that need this one.
func (p *pass) awaitStores(ctx context.Context) (step.Outcome, error) {
	var list api.CephObjectStoreList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.zone.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectStores: %w", err)
	}
	var dependents []string
	for i := range list.Items {
		if list.Items[i].Spec.ZoneName() == p.zone.Name {
			dependents = append(dependents, "CephObjectStore "+list.Items[i].Name)
		}
	}
	return p.Blocked(dependents), nil
}

// remove has the zone removed from its zone group, and then from this cluster.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	if p.Cluster == nil || p.Before.Setup == nil {
		return step.Done, nil
	}
	var group api.CephObjectZoneGroup
	outcome, err := p.Parent(ctx, "CephObjectZoneGroup", p.zone.Spec.ZoneGroup, &group)
	if err != nil {
		return step.None, err
	}
	if !outcome.IsDone() {
		return p.Kept(outcome.Reason, fmt.Sprintf(
			"CephObjectZoneGroup '%s' does not exist, which says what realm the zone is to be removed from; create it again", p.zone.Spec.ZoneGroup)), nil
	}
	wanted := Wanted(p.zone, group.Spec.Realm)
	// Without keys the Job waits for no Secret, which may be gone already.
	wanted.Remove, wanted.Users, wanted.Zone.SystemKeys = rgwadmin.RemoveZone, nil, nil
	wanted.Zone.Purge = p.purges()
	return p.TakeDown(ctx, wanted)
}

// purges tells whether what the zone wrote into pools of others goes with it. Both
// fields have to say so.
func (p *pass) purges() bool {
	spec := &p.zone.Spec
	return spec.SharedPools.Wanted() && !spec.PreservePools() && !spec.SharedPools.PreserveRadosNamespaceDataOnDelete
}

// removePools removes the pools of the zone with all that is in them, if the spec says
// so.
func (p *pass) removePools(ctx context.Context) (step.Outcome, error) {
	if goes, err := p.poolsGo(ctx); err != nil || !goes {
		return step.Done, err
	}
	if outcome, err := p.Connect(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if outcome, err := p.spareOthers(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	there, err := pools.Read(ctx, p.Ceph)
	if err != nil {
		return step.None, err
	}
	if outcome, err := p.Confirm(ctx, &api.CephObjectZone{}); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	const realms = true // ours at least, whose end comes after ours
	if err := zonepools.Remove(ctx, p.Ceph, there, p.wantedPools(), realms); err != nil {
		return step.None, err
	}
	ctrl.LoggerFrom(ctx).Info("pools of zone removed", "zone", p.zone.Name)
	return step.Done, nil
}

// poolsGo tells whether there are pools that go with the zone. Those of a store that has
// its name do not.
func (p *pass) poolsGo(ctx context.Context) (bool, error) {
	if p.Cluster == nil || p.zone.Spec.PreservePools() {
		return false, nil
	}
	outcome, err := p.Free(ctx, p.Live)
	return outcome.IsDone(), err
}

// spareOthers refuses to remove pools of a zone that was never set up while anything is
// in them: they may be an earlier zone's.
func (p *pass) spareOthers(ctx context.Context) (step.Outcome, error) {
	if p.Before.Setup != nil || p.zone.Spec.SharedPools.Wanted() {
		return step.Done, nil
	}
	held, err := zonepools.Held(ctx, p.Ceph, p.zone.Name, zonepools.Parts())
	if err != nil {
		return step.None, err
	}
	if held != "" {
		return p.Kept(api.ReasonPoolNotEmpty, "The zone was never set up, and "+held+"; set `preservePoolsOnDelete` to keep the pools"), nil
	}
	return step.Done, nil
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.r.known.Delete(p.zone.UID)
	p.r.tried.Forget(p.zone.UID)
	p.r.seen.Delete(p.zone.UID)
	return p.Release(ctx)
}
