package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// connectRetry is how often a missing Secret or a silent cluster is tried.
	connectRetry = 2 * time.Second
	// vainRetry is how often Ceph is told what it does not keep.
	vainRetry = 30 * time.Second
	// takenRetry is how often a pool is looked at that belongs to somebody else.
	takenRetry = 30 * time.Second
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.apply.Finalizer(ctx, p.pool, Finalizer())
}

// findCluster waits for the cluster to answer.
func (p *pass) findCluster(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.pool.Namespace)
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.pool.Namespace)), nil
	}
	p.cluster = found
	return condition.Await(found, api.ConditionMonitorsInQuorum), nil
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

// read reads what there is, and for a pool that there is not, where it could be.
func (p *pass) read(ctx context.Context) (step.Outcome, error) {
	err := p.observe(ctx)
	if err == nil && p.seen.Pool == nil {
		p.seen.Places, err = pools.ReadPlaces(ctx, p.client)
	}
	return step.Done, err
}

func (p *pass) decide(context.Context) (step.Outcome, error) {
	if p.unchanged {
		return step.Done, nil
	}
	if p.stranger() {
		outcome := step.Stall(api.ReasonNameTaken, fmt.Sprintf("Pool '%s' belongs to %s; choose another name", poolName(p.pool), p.others()))
		outcome.After = takenRetry
		return outcome, nil
	}
	p.plan = pools.Decide(want(p.pool), p.seen)
	return p.plan.Outcome(), nil
}

// carryOut runs the plan. A pool that was changed is looked at once more, so
// that Ready means what Ceph says and not what we sent.
func (p *pass) carryOut(ctx context.Context) (step.Outcome, error) {
	outcome, err := pools.RunAll(poolName(p.pool), p.plan.Operations, p.seen, func(o pools.Operation) error { return p.run(ctx, o) })
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if len(p.plan.Operations) > 0 {
		log := ctrl.LoggerFrom(ctx)
		log.Info("pool changed", "operations", pools.Words(p.plan.Operations))
		if p.inVain() {
			return step.Retry(vainRetry, "NotTaken", p.complaint()), nil
		}
		return step.Retry(pools.Again, "Configuring", "Configuring the pool"), nil
	}
	p.done.Delete(p.pool.UID)
	if !p.unchanged && len(p.plan.Drift) == 0 {
		p.known.Store(p.pool.UID, p.look)
	}
	return step.Done, nil
}

// run carries an operation out.
func (p *pass) run(ctx context.Context, o pools.Operation) error {
	if o.Kind != pools.Init {
		return pools.Run(ctx, p.client, o)
	}
	pool, err := p.session.Pool(ctx, o.Name, "")
	if err != nil {
		return err
	}
	defer pool.Close()
	return pool.Init(ctx)
}
