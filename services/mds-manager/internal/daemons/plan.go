package daemons

import (
	"cmp"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Daemon is one metadata server as the decision sees it.
type Daemon struct {
	ID string
	// Wanted is whether the spec asks for it.
	Wanted bool
	// Exists, Settled and Available speak of its Deployment: there, as desired,
	// with a pod that runs the newest template.
	Exists, Settled, Available bool
	// Renewed is whether the change brings another Ceph image.
	Renewed bool
	// Paused Deployments carry the label do-not-reconcile.
	Paused bool
	// State and Rank are what the monitors know; "" for nothing.
	State string
	Rank  int
}

// serves tells whether clients would notice its end.
func (d Daemon) serves() bool {
	return d.State != "" && d.Rank >= 0 && d.State != ceph.MDSStandbyReplay
}

// Plan is what to do about the metadata servers now.
type Plan struct {
	// Now are those whose Deployments can be written at once: nothing runs there,
	// as far as pods and monitors tell.
	Now []string
	// Drop are surplus ones whose Deployments can be deleted at once.
	Drop []string
	// Next is the one to be changed next, and Retire the surplus one to be ended
	// next, if Ceph agrees; "" for none.
	Next, Retire string
	// Returning are not back yet; Next and Retire wait for them.
	Returning []string
	// Upgrading tells that a change of Ceph's image is under way.
	Upgrading bool
}

// Decide says which metadata servers to change, one at a time: those that serve
// nobody first, then the one with the highest rank, rank 0 last. So a new
// release is in the standbys before the first rank falls to one of them. It is
// total and does not depend on the order of its argument.
func Decide(list []Daemon) Plan {
	var plan Plan
	for _, d := range slices.SortedFunc(slices.Values(list), order) {
		if d.Paused {
			continue
		}
		if d.Wanted {
			plan.keep(d)
		} else {
			plan.spare(d)
		}
	}
	slices.Sort(plan.Now)
	slices.Sort(plan.Drop)
	slices.Sort(plan.Returning)
	return plan
}

// keep decides about one that the spec asks for.
func (p *Plan) keep(d Daemon) {
	p.Upgrading = p.Upgrading || d.Exists && !d.Settled && d.Renewed
	switch {
	case !d.Exists || !d.Settled && !d.Available && !d.serves():
		p.Now = append(p.Now, d.ID)
	case !d.Settled:
		p.Next = cmp.Or(p.Next, d.ID)
	case !d.Available || d.State == "":
		p.Returning = append(p.Returning, d.ID)
	}
}

// spare decides about one that the spec does not ask for.
func (p *Plan) spare(d Daemon) {
	if d.State == "" || !d.Available && !d.serves() {
		p.Drop = append(p.Drop, d.ID)
		return
	}
	p.Retire = cmp.Or(p.Retire, d.ID)
}

// order puts those first whose end clients notice least.
func order(a, b Daemon) int {
	if a.serves() != b.serves() {
		if a.serves() {
			return 1
		}
		return -1
	}
	if a.serves() && a.Rank != b.Rank {
		return b.Rank - a.Rank
	}
	// The last names go first, which are those that a smaller number drops.
	return cmp.Or(cmp.Compare(len(b.ID), len(a.ID)), cmp.Compare(b.ID, a.ID))
}

// Ranks is the number of ranks to ask for next, one step from what is asked for
// now. Ranks is 1 during an upgrade: two releases must not share the work. A rank
// is added only when a standby can take it, and the next one is taken away only
// when the former has ended. A file system that somebody took down stays so.
func Ranks(m ceph.MDSMap, want, standbys int, upgrading bool) int {
	if upgrading {
		want = 1
	}
	switch {
	case m.TakenDown():
		return m.MaxMDS
	case m.MaxMDS > want && len(m.In) <= m.MaxMDS:
		return m.MaxMDS - 1
	case m.MaxMDS < want && m.Active() >= m.MaxMDS && standbys > 0:
		return m.MaxMDS + 1
	}
	return m.MaxMDS
}
