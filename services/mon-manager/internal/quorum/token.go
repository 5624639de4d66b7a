package quorum

import (
	"context"
	"errors"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// What the disruption token is held for.
const (
	restarting = "restarting monitors"
	removing   = "removing a monitor"
)

// askToStop asks Ceph, then takes the token.
func (p *pass) askToStop(ctx context.Context, member Member, waiting string) (bool, string, error) {
	if len(p.plan.Members) >= minSafeToStop {
		if !SafeToStop(p.seen.facts.Quorum, member.Name) {
			return false, waiting + ": the others would be no majority", nil
		}
		err := p.seen.client.MonOKToStop(ctx, member.Name)
		if errors.Is(err, ceph.ErrBusy) {
			return false, waiting + ": Ceph says that it is not ok to stop", nil
		}
		if err != nil {
			return false, "", err
		}
	}
	grant, err := p.Token.Acquire(ctx, p.cluster, restarting, p.Clock.Now())
	if err != nil {
		return false, "", err
	}
	if !grant.Held {
		return false, waiting + ": " + disturbed(grant), nil
	}
	p.rolling = "Updating monitor " + member.Name
	return true, "", nil
}

func disturbed(grant disruption.Grant) string {
	if grant.By == "" {
		return "the disruption token was just taken"
	}
	return grant.By + " is " + grant.Purpose
}

// keepToken renews the disruption token, if we hold it, for as long as a monitor
// that we stopped on purpose is not back: nobody else may disturb before.
func (p *pass) keepToken(ctx context.Context) (step.Outcome, error) {
	away := p.returning()
	if len(away) == 0 && p.plan.Change == nil {
		return step.Done, nil
	}
	held, err := p.Token.Held(ctx, p.cluster, p.Clock.Now())
	if err != nil || !held {
		return step.Done, err
	}
	purpose := restarting
	if p.plan.Change != nil {
		purpose = removing
	}
	if _, err := p.Token.Acquire(ctx, p.cluster, purpose, p.Clock.Now()); err != nil {
		return step.None, err
	}
	if p.rolling == "" && p.plan.Change == nil {
		p.rolling = "Waiting for monitors " + problem.Names(away) + " to be back"
	}
	return step.Done, nil
}

// returning are the monitors that ought to serve and do not: out of quorum, or
// with a Deployment that has not settled. Those that are left as they are do not
// count.
func (p *pass) returning() []string {
	var away []string
	for _, member := range sorted(p.plan.Members) {
		live := p.seen.deployments[member.Name]
		if !p.gone(member) && (!inQuorum(p.seen.facts.Quorum, member.Name) || live != nil && !settled(live)) {
			away = append(away, member.Name)
		}
	}
	return away
}
