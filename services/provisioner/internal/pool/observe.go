package pool

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

// settled is what a pool looked like when nothing was left to do.
type settled struct {
	generation int64
	digest     uint64
}

// observe reads what Ceph has for the pool. A pool that looks exactly as when it
// was last found settled is not read any further.
func (p *pass) observe(ctx context.Context) error {
	shared, err := p.Maps.Get(ctx, p.cluster.Namespace, p.client)
	if err != nil {
		return err
	}
	name := poolName(p.pool)
	p.seen = pools.Observed{Pool: shared.Pools[name], Rules: shared.Rules}
	if p.seen.Pool == nil {
		return p.observeProfile(ctx, pools.ProfileName(name))
	}
	if p.stranger() {
		return nil
	}
	p.seen.Rule = shared.RulesByID[p.seen.Pool.CrushRule]
	p.look = settled{generation: p.pool.Generation, digest: digest(shared, name)}
	if known, ok := p.known.Load(p.pool.UID); ok && known == p.look {
		p.unchanged = true
		return nil
	}
	settings, err := p.client.PoolGet(ctx, name)
	if err != nil {
		return fmt.Errorf("read settings of pool %q: %w", name, err)
	}
	p.seen.Settings = settings.Settings
	if p.seen.Pool.Type != ceph.PoolErasure {
		return nil
	}
	return p.observeProfile(ctx, p.seen.Pool.ErasureCodeProfile)
}

func (p *pass) observeProfile(ctx context.Context, name string) (err error) {
	if p.pool.Spec.ErasureCoded.DataChunks == 0 {
		return nil
	}
	p.seen.Profile, err = p.client.ErasureCodeProfileGet(ctx, name)
	if errors.Is(err, ceph.ErrNotFound) {
		p.seen.Profile, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read erasure code profile %q: %w", name, err)
	}
	p.seen.Default, err = p.client.ErasureCodeProfileGet(ctx, "default")
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("read erasure code profile %q: %w", "default", err)
	}
	return nil
}

// digest is a fingerprint of all that the OSD map says of a pool and its rule.
func digest(shared *osdmap.Map, name string) uint64 {
	hash := fnv.New64a()
	pool := shared.Pools[name]
	fmt.Fprintf(hash, "%+v %+v", *pool, shared.RulesByID[pool.CrushRule])
	return hash.Sum64()
}

// unsupported are the fields that are set and that nobody acts on yet.
func unsupported(spec *api.PoolSpec) []string {
	var fields []string
	add := func(set bool, name string) {
		if set {
			fields = append(fields, name)
		}
	}
	add(spec.EnableRBDStats, "spec.enableRBDStats")
	add(spec.Mirroring.Enabled, "spec.mirroring")
	add(spec.Replicated.HybridStorage != nil, "spec.replicated.hybridStorage")
	add(spec.Replicated.ReplicasPerFailureDomain > 1, "spec.replicated.replicasPerFailureDomain")
	add(spec.Replicated.SubFailureDomain != "", "spec.replicated.subFailureDomain")
	return fields
}
