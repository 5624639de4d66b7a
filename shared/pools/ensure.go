package pools

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Result is what came of making pools as they shall be.
type Result struct {
	// Changes are what was done, worded so that two passes that do the same say the
	// same; empty for nothing.
	Changes string
	// Drift are the differences that are not mended, worded for people.
	Drift []string
}

// Ensure makes several pools as they shall be, all at once. Before the first one is
// touched all are looked at: nothing is changed when one of them cannot be as it is
// wanted. Pools for RBD need Init, so they end in ErrUnsupported here.
func Ensure(ctx context.Context, client ceph.Client, m Map, list []Want) (Result, step.Outcome, error) {
	var result Result
	var works []work
	var changes []string
	places := sync.OnceValues(func() (*Places, error) { return ReadPlaces(ctx, client) })
	for _, want := range list {
		seen, err := observe(ctx, client, m, want, places)
		if err != nil {
			return result, step.None, err
		}
		plan := Decide(want, seen)
		if outcome := plan.Outcome(); !outcome.IsDone() {
			return result, outcome, nil
		}
		for _, drift := range plan.Drift {
			result.Drift = append(result.Drift, fmt.Sprintf("Pool %s: %s", want.Name, drift))
		}
		if len(plan.Operations) > 0 {
			works = append(works, work{want.Name, seen, plan.Operations})
			changes = append(changes, want.Name+": "+fmt.Sprint(plan.Operations))
		}
	}
	outcome, err := atOnce(ctx, client, works)
	if err == nil && outcome.IsDone() {
		result.Changes = strings.Join(changes, ", ")
	}
	return result, outcome, err
}

// work is what is to be done to one pool.
type work struct {
	pool       string
	seen       Observed
	operations []Operation
}

// atOnce works on all pools at once. A change is answered when the mons have written
// it, about a second later, and they write in one go what comes meanwhile.
func atOnce(ctx context.Context, client ceph.Client, works []work) (step.Outcome, error) {
	outcomes, errs := make([]step.Outcome, len(works)), make([]error, len(works))
	var running sync.WaitGroup
	for i, w := range works {
		running.Go(func() { outcomes[i], errs[i] = w.run(ctx, client) })
	}
	running.Wait()
	var failed problem.List
	for _, err := range errs {
		failed.Add(err)
	}
	if err := failed.Err(); err != nil {
		return step.None, err
	}
	for _, outcome := range outcomes {
		if !outcome.IsDone() {
			return outcome, nil
		}
	}
	return step.Done, nil
}

func (w work) run(ctx context.Context, client ceph.Client) (step.Outcome, error) {
	outcome, err := RunAll(w.pool, w.operations, w.seen, func(operation Operation) error { return Run(ctx, client, operation) })
	if err == nil && outcome.IsDone() {
		logr.FromContextOrDiscard(ctx).Info("pool changed", "pool", w.pool, "operations", Words(w.operations))
	}
	return outcome, err
}
