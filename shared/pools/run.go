package pools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// Again is when a pool that was changed is compared with Ceph once more.
	Again = 100 * time.Millisecond
	// fullRetry is how often a pool is tried that Ceph has no room for.
	fullRetry = 30 * time.Second
	// placesRetry is how often a pool is tried that has too few failure domains, which
	// come one after the other when a cluster begins.
	placesRetry = 10 * time.Second
	// refusedRetry is how often Ceph is asked again for what it refused.
	refusedRetry = 30 * time.Second
)

// Words lists operations for logs.
func Words(operations []Operation) string {
	list := make([]string, len(operations))
	for i, operation := range operations {
		list[i] = strings.TrimSpace(string(operation.Kind) + " " + operation.Key)
	}
	return strings.Join(list, ", ")
}

// Expected words refusals that are not failures of ours. Those that stall carry
// the time to look again in After.
func Expected(operation Operation, seen Observed, err error) (step.Outcome, bool) {
	var refused *ceph.Error
	switch {
	case err == nil || !errors.As(err, &refused):
		return step.Outcome{}, false
	case operation.Kind == CreatePool && refused.Errno == syscall.ERANGE:
		return step.Retry(fullRetry, "TooManyPGs", "Ceph refuses the pool: "+refused.Status+
			"; add OSDs, set `parameters.pg_num`, or raise mon_max_pg_per_osd"), true
	case operation.Kind == CreateRule && refused.Errno == syscall.ENOSPC:
		return noRoom(seen), true
	case operation.Kind == CreateRule && errors.Is(err, ceph.ErrNotFound):
		return step.Retry(fullRetry, "NoSuchBucket", "Ceph refuses the CRUSH rule: "+refused.Status+
			"; correct `crushRoot` or `deviceClass`, or wait for its OSDs"), true
	case operation.Kind != CreatePool && errors.Is(err, ceph.ErrInvalid):
		return refusedFor(operation, refused), true
	}
	return step.Outcome{}, false
}

// refusedFor is a stall, since most often the spec is wrong, with a time to look
// again, since what Ceph takes may change without an edit.
func refusedFor(operation Operation, refused *ceph.Error) step.Outcome {
	outcome := step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("Ceph refuses %s %s: %s", operation.Kind, operation.Key, refused.Status))
	outcome.After = refusedRetry
	return outcome
}

// noRoom is when Ceph has as many rules as it can have. The next pass shares one,
// unless this one has looked for one to share already.
func noRoom(seen Observed) step.Outcome {
	if len(seen.Rules) < sharedRules {
		return step.Retry(Again, "TooManyRules", "Ceph has no room for another CRUSH rule; looking for one to share")
	}
	return step.Retry(fullRetry, "TooManyRules", "Ceph has no room for another CRUSH rule, and no rule places as this pool wants it; "+
		"remove rules that no pool uses, or choose the placement of another pool")
}

// RunAll carries the operations of one pool out with run, in their order, until one is
// refused, which is the outcome, or fails.
func RunAll(pool string, operations []Operation, seen Observed, run func(Operation) error) (step.Outcome, error) {
	for _, operation := range operations {
		err := run(operation)
		if outcome, known := Expected(operation, seen, err); known {
			return outcome, nil
		}
		if err != nil {
			return step.None, fmt.Errorf("%s %s: %w", operation.Kind, pool, err)
		}
	}
	return step.Done, nil
}

// Run carries an operation out. Init takes more than commands to the mons, so it
// is ErrUnsupported here.
func Run(ctx context.Context, client ceph.Client, o Operation) error {
	switch o.Kind {
	case SetProfile:
		return client.ErasureCodeProfileSet(ctx, o.Name, o.Profile)
	case CreateRule:
		return client.CrushRuleCreateReplicated(ctx, o.Rule)
	case CreatePool:
		return client.PoolCreate(ctx, o.Pool, o.Confirmed)
	case SetParameter:
		return client.PoolSet(ctx, o.Name, o.Key, o.Value, o.Confirmed)
	case EnableApplication:
		return client.PoolApplicationEnable(ctx, o.Name, o.Key, o.Confirmed)
	case SetMaxBytes:
		return client.PoolSetMaxBytes(ctx, o.Name, o.Limit)
	case SetMaxObjects:
		return client.PoolSetMaxObjects(ctx, o.Name, o.Limit)
	case Init:
	}
	return fmt.Errorf("operation %q: %w", o.Kind, errors.ErrUnsupported)
}
