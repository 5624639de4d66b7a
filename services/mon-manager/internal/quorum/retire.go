package quorum

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// overdue is how long after its deadline a pod may still be listed before
	// nobody is believed to run that could tell of its end.
	overdue = 30 * time.Second
	// stopPatience is for how long the quorum may be silent while a monitor ends
	// before the monitor is started again: it may be what the majority lacks.
	stopPatience = 2 * time.Minute
	// removeTimeout is how long the last look at the intention and the removal
	// may take together; it is less than a leader has left after it renewed.
	removeTimeout = 5 * time.Second
)

// Retirement is what to do next about a monitor that leaves the map.
type Retirement int

// The retirements, in the order in which they follow each other.
const (
	// Stay is for a monitor that the quorum cannot spare.
	Stay Retirement = iota
	// Stop ends its daemon.
	Stop
	// AwaitEnd waits for the end of its daemon.
	AwaitEnd
	// TakeOut removes it from the map.
	TakeOut
)

// Retire decides. A daemon ends before it leaves the map: other monitors abort
// when they hear from one that their map does not hold any more. Only where the
// quorum would not survive the time in between it leaves the map while it runs.
func Retire(quorum *ceph.QuorumStatus, name string, deployed, runs bool) Retirement {
	switch {
	case !SafeToRemove(quorum, name):
		return Stay
	case deployed && SafeToStop(quorum, name):
		return Stop
	case !deployed && runs:
		return AwaitEnd
	}
	return TakeOut
}

// mayRun tells whether a process of one of the pods may still be there. A pod
// whose node does not tell of its end in time does not count.
func mayRun(pods []corev1.Pod, now time.Time) bool {
	for i := range pods {
		deadline := pods[i].DeletionTimestamp
		if deadline == nil || now.Sub(deadline.Time) < overdue {
			return true
		}
	}
	return false
}

// retire ends one monitor and takes it out of the map, on facts of this moment.
func (p *pass) retire(ctx context.Context) (step.Outcome, error) {
	name := p.plan.Retire
	if name == "" || p.seen.client == nil {
		return step.Done, nil
	}
	quorum, err := p.seen.client.QuorumStatus(ctx)
	if err != nil {
		return step.None, err
	}
	if !inMap(&quorum, name) {
		return step.Done, nil
	}
	live := p.seen.deployments[name]
	switch Retire(&quorum, name, live != nil, mayRun(p.seen.pods[name], p.Clock.Now())) {
	case Stay:
		return step.Retry(poll, api.ReasonMonitorsOutOfQuorum, fmt.Sprintf(
			"Monitor %s is not removed: the monitors left in quorum would be no majority of those left in the map", name)), nil
	case Stop:
		return p.stop(ctx, name, inQuorum(&quorum, name))
	case AwaitEnd:
		return step.Retry(time.Second, api.ReasonMonitorsStarting, "Waiting for the end of monitor "+name), nil
	case TakeOut:
	}
	return p.takeOut(ctx, name)
}

// takeOut removes the monitor from the map, if that is still what is intended. It
// has little time for it: who led before and wakes up must not go on.
func (p *pass) takeOut(ctx context.Context, name string) (step.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	stands, err := p.stands(ctx)
	if err != nil {
		return step.None, err
	}
	if !stands {
		p.quiet = true // somebody else tells what is intended now
		return step.Retry(again, api.ReasonPending, "Looking again"), nil
	}
	if err := p.seen.client.MonRemove(ctx, name); err != nil {
		return step.None, err
	}
	p.event(removed(p.cluster, name, p.plan.Change))
	return step.Retry(time.Second, api.ReasonMonitorsStarting, "Removed monitor "+name+" from the monitor map"), nil
}

// stop ends the daemon of a monitor, and notes when before it does. One that
// serves is stopped only while nobody else disturbs the cluster.
func (p *pass) stop(ctx context.Context, name string, serves bool) (step.Outcome, error) {
	if serves {
		grant, err := p.Token.Acquire(ctx, p.cluster, removing, p.Clock.Now())
		if err != nil {
			return step.None, err
		}
		if !grant.Held {
			return step.Retry(poll, api.ReasonMonitorsStarting, "Waiting to remove monitor "+name+": "+disturbed(grant)), nil
		}
	}
	change := p.plan.Change.DeepCopy()
	change.StartedAt = stamp(p.Clock.Now())
	p.plan.Change = change
	p.status.monitors(p.plan)
	if err := p.persist(ctx); err != nil {
		return step.None, err
	}
	if err := p.apply.Delete(ctx, p.seen.deployments[name]); err != nil {
		return step.None, err
	}
	return step.Retry(time.Second, api.ReasonMonitorsStarting, "Stopping monitor "+name+" before it leaves the monitor map"), nil
}

// retiring tells whether the monitor was stopped in order to leave the map. When
// the quorum stays silent afterwards it is started again.
func (p *pass) retiring(name string) bool {
	change := p.plan.Change
	if p.seen.deployments[name] != nil || change == nil || change.Op != api.MonitorRemove || change.Mon != name {
		return false
	}
	return p.seen.facts.Quorum != nil || change.StartedAt != nil && p.Clock.Now().Sub(change.StartedAt.Time) < stopPatience
}
