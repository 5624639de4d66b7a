package zonepools

import (
	"context"
	"fmt"
	"strings"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// missingRetry is how often a pool is looked for that is not there.
const missingRetry = 10 * time.Second

// Result is what came of making pools as they shall be.
type Result struct {
	// Changes are what was done, worded so that two passes that do the same say the
	// same; empty for nothing.
	Changes string
	// Drift are the differences that are not mended, worded for people.
	Drift []string
}

// Ensure makes pools as they shall be. Before the first one is touched all are looked
// at, and one that belongs to somebody else stalls.
func Ensure(ctx context.Context, client ceph.Client, m pools.Map, list []pools.Want) (Result, step.Outcome, error) {
	if outcome := refuse(m, list); !outcome.IsDone() {
		return Result{}, outcome, nil
	}
	var result Result
	var changes []string
	for _, want := range list {
		if pool := m.Pools[want.Name]; want.Name == Root && pool != nil && ours(pool) {
			continue // it is as whoever came first wanted it
		}
		seen, err := pools.Observe(ctx, client, m, want)
		if err != nil {
			return result, step.None, err
		}
		plan := pools.Decide(want, seen)
		if outcome := plan.Outcome(); !outcome.IsDone() {
			return result, outcome, nil
		}
		for _, drift := range plan.Drift {
			result.Drift = append(result.Drift, fmt.Sprintf("Pool %s: %s", want.Name, drift))
		}
		if outcome, err := run(ctx, client, want, seen, plan); err != nil || !outcome.IsDone() {
			return result, outcome, err
		}
		if len(plan.Operations) > 0 {
			changes = append(changes, want.Name+": "+fmt.Sprint(plan.Operations))
		}
	}
	result.Changes = strings.Join(changes, ", ")
	return result, step.Done, nil
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

func run(ctx context.Context, client ceph.Client, want pools.Want, seen pools.Observed, plan pools.Plan) (step.Outcome, error) {
	for _, operation := range plan.Operations {
		err := pools.Run(ctx, client, operation)
		if outcome, known := pools.Expected(operation, seen, err); known {
			return outcome, nil
		}
		if err != nil {
			return step.None, fmt.Errorf("%s %s: %w", operation.Kind, want.Name, err)
		}
	}
	if len(plan.Operations) > 0 {
		ctrl.LoggerFrom(ctx).Info("pool changed", "pool", want.Name, "operations", pools.Words(plan.Operations))
	}
	return step.Done, nil
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
