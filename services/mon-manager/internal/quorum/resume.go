package quorum

import (
	"slices"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// resume takes the change in flight one step further, or rolls it back.
func (p Plan) resume(cluster *api.CephCluster, facts Facts, now time.Time) Plan {
	change := *p.Change
	switch change.Op {
	case api.MonitorRemove:
		return p.resumeRemove(facts, change.Mon)
	case api.MonitorReplace, api.MonitorMove:
		return p.resumeReplace(facts, change, now)
	case api.MonitorAdd:
		switch {
		case inQuorum(facts.Quorum, change.Mon):
			p.Change = nil
		case len(p.Members) > Count(cluster) || expired(change, now):
			p = p.giveUp(change, change.Mon, now)
		}
	}
	return p
}

func (p Plan) resumeRemove(facts Facts, name string) Plan {
	if inMap(facts.Quorum, name) {
		p.Retire = name
		return p
	}
	p.Members = without(p.Members, name)
	p.Change = nil
	return p
}

func (p Plan) resumeReplace(facts Facts, change api.MonitorChange, now time.Time) Plan {
	joined := inQuorum(facts.Quorum, change.Replacement)
	switch {
	case joined:
		p.Change = p.removal(change.Mon, change.Reason, now)
		p.Retire = change.Mon
	case inQuorum(facts.Quorum, change.Mon) && change.Op == api.MonitorReplace && !inMap(facts.Quorum, change.Replacement):
		p.Change = p.removal(change.Replacement, "MonitorReturned", now)
	case expired(change, now):
		p = p.giveUp(change, change.Replacement, now)
	}
	return p
}

// giveUp takes a monitor back that did not join, and remembers where it failed.
func (p Plan) giveUp(change api.MonitorChange, name string, now time.Time) Plan {
	p.Change = p.removal(name, "JoinFailed", now)
	if change.Node != "" && !slices.Contains(p.Avoid, change.Node) {
		p.Avoid = append(slices.Clone(p.Avoid), change.Node)
		slices.Sort(p.Avoid)
	}
	return p
}

func expired(change api.MonitorChange, now time.Time) bool {
	return change.StartedAt != nil && now.Sub(change.StartedAt.Time) > joinTimeout
}
