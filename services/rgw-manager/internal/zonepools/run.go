package zonepools

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// missingRetry is how often a pool is looked for that is not there.
const missingRetry = 10 * time.Second

// Ensure makes pools as they shall be. Nothing is changed when one of them belongs to
// somebody else.
func Ensure(ctx context.Context, client ceph.Client, m pools.Map, list []pools.Want) (pools.Result, step.Outcome, error) {
	if outcome := refuse(m, list); !outcome.IsDone() {
		return pools.Result{}, outcome, nil
	}
	list = slices.DeleteFunc(slices.Clone(list), func(want pools.Want) bool {
		pool := m.Pools[want.Name]
		return want.Name == Root && pool != nil && ours(pool) // it is as whoever came first wanted it
	})
	return pools.Ensure(ctx, client, m, list)
}

// refuse stalls when one of the pools belongs to somebody else.
func refuse(m pools.Map, list []pools.Want) step.Outcome {
	for _, want := range list {
		if whose := foreign(m.Pools[want.Name]); whose != "" {
			return step.Stall(api.ReasonNameTaken, fmt.Sprintf("Pool '%s' belongs to %s in Ceph; choose another name", want.Name, whose))
		}
	}
	return step.Done
}

// AwaitShared waits until the pools that a spec names are there, for object stores.
func AwaitShared(m pools.Map, spec *api.ObjectSharedPoolsSpec) step.Outcome {
	for _, name := range Shared(spec) {
		pool := m.Pools[name]
		if pool == nil {
			outcome := step.Stall(api.ReasonPoolMissing, fmt.Sprintf("There is no pool '%s'; make it with a CephBlockPool whose `application` is rgw", name))
			outcome.After = missingRetry
			return outcome
		}
		if _, tagged := pool.ApplicationMetadata[Application]; !tagged {
			outcome := step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("Pool '%s' is not for object stores; set `application: rgw` in its CephBlockPool", name))
			outcome.After = missingRetry
			return outcome
		}
	}
	return step.Done
}

// Remove deletes those of the pools that are for object stores and nothing else, with
// what is named after them. The one of all zones goes with the last of the others, and
// not while realm objects are there, who are in it. The caller has made sure that
// nothing in the pools is needed.
func Remove(ctx context.Context, client ceph.Client, m pools.Map, list []pools.Want, realms bool) error {
	wanted := map[string]bool{}
	for _, want := range list {
		wanted[want.Name] = true
	}
	shared := realms
	for name, pool := range m.Pools {
		_, tagged := pool.ApplicationMetadata[Application]
		shared = shared || tagged && !wanted[name]
	}
	for _, want := range list {
		pool := m.Pools[want.Name]
		if pool == nil || !ours(pool) || want.Name == Root && shared {
			continue
		}
		if err := client.PoolDelete(ctx, want.Name, ceph.Really); err != nil {
			return fmt.Errorf("delete pool %s: %w", want.Name, err)
		}
		if err := pools.RemoveParts(ctx, client, m, want); err != nil {
			return err
		}
	}
	return nil
}
