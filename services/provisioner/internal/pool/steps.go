package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// again is when a pool that was changed is compared with Ceph once more.
	again = 100 * time.Millisecond
	// connectRetry is how often a missing Secret or a silent cluster is tried.
	connectRetry = 2 * time.Second
	// fullRetry is how often a pool is tried that Ceph has no room for.
	fullRetry = 30 * time.Second
	// vainRetry is how often Ceph is told what it does not keep.
	vainRetry = 30 * time.Second
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.apply.Finalizer(ctx, p.pool, Finalizer())
}

// findCluster waits for the cluster to answer.
func (p *pass) findCluster(ctx context.Context) (step.Outcome, error) {
	found, err := p.clusterOf(ctx)
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.pool.Namespace)), nil
	}
	p.cluster = found
	return condition.Await(found, api.ConditionMonitorsInQuorum), nil
}

// clusterOf returns the CephCluster in the namespace of the pool, or nil.
func (p *pass) clusterOf(ctx context.Context) (*api.CephCluster, error) {
	var list api.CephClusterList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.pool.Namespace)); err != nil {
		return nil, fmt.Errorf("list CephClusters: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, nil
	}
	return &list.Items[0], nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	session, err := p.Sessions.Session(ctx, p.cluster)
	if errors.Is(err, clusters.ErrNoSecret) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for mon-manager: "+err.Error()), nil
	}
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for Ceph: the monitors do not answer"), nil
	}
	if err != nil {
		return step.None, err
	}
	p.session, p.client = session, ceph.Client{Conn: session}
	return step.Done, nil
}

func (p *pass) read(ctx context.Context) (step.Outcome, error) { return step.Done, p.observe(ctx) }

func (p *pass) decide(context.Context) (step.Outcome, error) {
	if p.unchanged {
		return step.Done, nil
	}
	p.plan = Decide(p.pool, p.seen)
	if p.plan.Invalid != "" {
		return step.Stall(api.ReasonInvalidSpec, p.plan.Invalid), nil
	}
	return step.Done, nil
}

// carryOut runs the plan. A pool that was changed is looked at once more, so
// that Ready means what Ceph says and not what we sent.
func (p *pass) carryOut(ctx context.Context) (step.Outcome, error) {
	for _, operation := range p.plan.Operations {
		err := p.run(ctx, operation)
		if outcome, known := p.expected(operation, err); known {
			return outcome, nil
		}
		if err != nil {
			return step.None, fmt.Errorf("%s %s: %w", operation.Kind, poolName(p.pool), err)
		}
	}
	if len(p.plan.Operations) > 0 {
		log := ctrl.LoggerFrom(ctx)
		log.Info("pool changed", "operations", words(p.plan.Operations))
		if p.inVain() {
			return step.Retry(vainRetry, "NotTaken", p.complaint()), nil
		}
		return step.Retry(again, "Configuring", "Configuring the pool"), nil
	}
	p.done.Delete(p.pool.UID)
	if !p.unchanged && len(p.plan.Drift) == 0 {
		p.known.Store(p.pool.UID, p.look)
	}
	return step.Done, nil
}

func words(operations []Operation) string {
	list := make([]string, len(operations))
	for i, operation := range operations {
		list[i] = strings.TrimSpace(string(operation.Kind) + " " + operation.Key)
	}
	return strings.Join(list, ", ")
}

// expected words refusals that are not failures of ours.
func (p *pass) expected(operation Operation, err error) (step.Outcome, bool) {
	var refused *ceph.Error
	switch {
	case err == nil || !errors.As(err, &refused):
		return step.Outcome{}, false
	case operation.Kind == CreatePool && refused.Errno == syscall.ERANGE:
		return step.Retry(fullRetry, "TooManyPGs", "Ceph refuses the pool: "+refused.Status+
			"; add OSDs, set `parameters.pg_num`, or raise mon_max_pg_per_osd"), true
	case operation.Kind == CreateRule && refused.Errno == syscall.ENOSPC:
		return p.noRoom(), true
	case operation.Kind == CreateRule && errors.Is(err, ceph.ErrNotFound):
		return step.Retry(fullRetry, "NoSuchBucket", "Ceph refuses the CRUSH rule: "+refused.Status+
			"; correct `crushRoot` or `deviceClass`, or wait for its OSDs"), true
	case operation.Kind != CreatePool && errors.Is(err, ceph.ErrInvalid):
		return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("Ceph refuses %s %s: %s", operation.Kind, operation.Key, refused.Status)), true
	}
	return step.Outcome{}, false
}

// noRoom is when Ceph has as many rules as it can have. The next pass shares one,
// unless this one has looked for one to share already.
func (p *pass) noRoom() step.Outcome {
	if len(p.seen.Rules) < sharedRules {
		return step.Retry(again, "TooManyRules", "Ceph has no room for another CRUSH rule; looking for one to share")
	}
	return step.Retry(fullRetry, "TooManyRules", "Ceph has no room for another CRUSH rule, and no rule places as this pool wants it; "+
		"remove rules that no pool uses, or choose the placement of another pool")
}

func (p *pass) run(ctx context.Context, o Operation) error {
	switch o.Kind {
	case SetProfile:
		return p.client.ErasureCodeProfileSet(ctx, o.Name, o.Profile)
	case CreateRule:
		return p.client.CrushRuleCreateReplicated(ctx, o.Rule)
	case CreatePool:
		return p.client.PoolCreate(ctx, o.Pool, o.Confirmed)
	case SetParameter:
		return p.client.PoolSet(ctx, o.Name, o.Key, o.Value, o.Confirmed)
	case EnableApplication:
		return p.client.PoolApplicationEnable(ctx, o.Name, o.Key, o.Confirmed)
	case SetMaxBytes:
		return p.client.PoolSetMaxBytes(ctx, o.Name, o.Limit)
	case SetMaxObjects:
		return p.client.PoolSetMaxObjects(ctx, o.Name, o.Limit)
	case Init:
		pool, err := p.session.Pool(ctx, o.Name, "")
		if err != nil {
			return err
		}
		defer pool.Close()
		return pool.Init(ctx)
	}
	return fmt.Errorf("operation %q: %w", o.Kind, errors.ErrUnsupported)
}
