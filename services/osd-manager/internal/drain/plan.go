package drain

import (
	"fmt"
	"slices"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// Daemon is one OSD as the decision sees it.
type Daemon struct {
	ID     int
	Domain string
	// Cordoned tells that its node takes no pods, Available that its pod runs.
	Cordoned, Available bool
}

// State is what was begun. Its zero value is idle.
type State struct {
	// Domain is the failure domain that drains, "" when none does.
	Domain string
	// Since is when it began to.
	Since time.Time
	// NoOut tells that the flag noout of the domain is ours.
	NoOut bool
	// Waiting is why a domain may not drain yet.
	Waiting string
}

// Facts are what Ceph says.
type Facts struct {
	// Known is false when it was not asked or did not answer.
	Known bool
	// Clean tells that no placement group lacks anything.
	Clean bool
	// NoOut are the domains that have the flag noout, whoever set it.
	NoOut map[string]bool
	// Refused are the domains of which not all OSDs may stop.
	Refused map[string]bool
}

// Observed is what the decision is made from.
type Observed struct {
	Daemons []Daemon
	State   State
	Facts   Facts
}

// Candidates are the domains that somebody drains: a node is cordoned and an OSD
// of it is gone. They are sorted.
func Candidates(daemons []Daemon) []string {
	return domains(daemons, func(d Daemon) bool { return d.Cordoned && !d.Available })
}

// Decide returns the state that follows. Without an answer from Ceph it is the
// present one. It is total and does not depend on the order of its argument.
func Decide(seen Observed, timeout time.Duration, now time.Time) State {
	if !seen.Facts.Known {
		if seen.State.Domain == "" && len(Candidates(seen.Daemons)) == 0 {
			return State{}
		}
		return seen.State
	}
	if seen.State.Domain != "" && !ended(seen, timeout, now) {
		next := seen.State
		next.NoOut = next.NoOut && now.Sub(next.Since) < timeout
		return next
	}
	var refused []string
	for _, domain := range Candidates(seen.Daemons) {
		if !seen.Facts.Refused[domain] {
			return State{Domain: domain, Since: now, NoOut: !seen.Facts.NoOut[domain] || ours(seen.State, domain)}
		}
		refused = append(refused, domain)
	}
	if len(refused) == 0 {
		return State{}
	}
	return State{Waiting: fmt.Sprintf("%s cannot drain yet: osd ok-to-stop says that placement groups would become inactive", problem.Names(refused))}
}

// ours tells whether the flag noout of a domain was set by us.
func ours(state State, domain string) bool { return state.Domain == domain && state.NoOut }

// ended tells whether the drain of State.Domain is over: its OSDs are back and
// the data is whole, or it has taken too long and nobody holds the OSDs back.
func ended(seen Observed, timeout time.Duration, now time.Time) bool {
	old := now.Sub(seen.State.Since) >= timeout
	away, cordoned := false, false
	for _, d := range seen.Daemons {
		if d.Domain == seen.State.Domain && !d.Available {
			away, cordoned = true, cordoned || d.Cordoned
		}
	}
	if away {
		return old && !cordoned
	}
	return seen.Facts.Clean || old
}

// Others are the domains beside the given one, sorted.
func Others(daemons []Daemon, domain string) []string {
	return domains(daemons, func(d Daemon) bool { return d.Domain != domain })
}

func domains(daemons []Daemon, wanted func(Daemon) bool) []string {
	var found []string
	for _, d := range daemons {
		if wanted(d) {
			found = append(found, d.Domain)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
