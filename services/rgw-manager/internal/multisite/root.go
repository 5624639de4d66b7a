package multisite

import (
	"context"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// MakeRoot makes the pool that says which realms there are, before the first setup.
func (p *Pass) MakeRoot(ctx context.Context) (step.Outcome, error) {
	if p.Before.Setup != nil {
		return step.Done, nil
	}
	if outcome, err := p.Connect(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	there, err := pools.Read(ctx, p.Ceph)
	if err != nil {
		return step.None, err
	}
	_, outcome, err := zonepools.Ensure(ctx, p.Ceph, there, zonepools.RootOnly())
	return outcome, err
}
