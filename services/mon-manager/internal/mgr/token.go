package mgr

import (
	"context"

	"github.com/rook-ceph/rook-ceph/shared/step"
)

// purpose is what the disruption token is held for.
const purpose = "restarting managers"

// keepToken renews the disruption token, if we hold it, for as long as a manager
// that we restarted is not back: nobody else may disturb before.
func (p *pass) keepToken(ctx context.Context) (step.Outcome, error) {
	if len(p.restarting()) == 0 {
		return step.Done, nil
	}
	held, err := p.Token.Held(ctx, p.cluster, p.Clock.Now())
	if err != nil || !held {
		return step.Done, err
	}
	p.disturbing = true
	_, err = p.Token.Acquire(ctx, p.cluster, purpose, p.Clock.Now())
	return step.Done, err
}

// restarting are the managers whose Deployments have not settled, but for those
// that somebody asked to be left alone.
func (p *pass) restarting() []string {
	var list []string
	for _, name := range Managers(p.cluster) {
		if live := p.seen.deployments[name]; live != nil && !paused(live) && !settled(live) {
			list = append(list, name)
		}
	}
	return list
}
