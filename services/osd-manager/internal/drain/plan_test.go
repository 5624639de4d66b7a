package drain

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	const timeout = 30 * time.Minute
	now := time.Unix(100000, 0)
	fine := func(id int, domain string) Daemon { return Daemon{ID: id, Domain: domain, Available: true} }
	cordoned := func(id int, domain string) Daemon {
		return Daemon{ID: id, Domain: domain, Cordoned: true, Available: true}
	}
	evicted := func(id int, domain string) Daemon { return Daemon{ID: id, Domain: domain, Cordoned: true} }
	broken := func(id int, domain string) Daemon { return Daemon{ID: id, Domain: domain} }
	clean, degraded := Facts{Known: true, Clean: true}, Facts{Known: true}
	refusing := Facts{Known: true, Refused: map[string]bool{"a": true}}
	begun := func(ago time.Duration) State { return State{Domain: "a", Since: now.Add(-ago), NoOut: true} }
	silent := func(s State) State { s.NoOut = false; return s }
	waits := State{Waiting: "a cannot drain yet: osd ok-to-stop says that placement groups would become inactive"}
	for name, test := range map[string]struct {
		daemons []Daemon
		state   State
		facts   Facts
		want    State
	}{
		"nothing happens":                            {[]Daemon{fine(0, "a"), fine(1, "b")}, State{}, Facts{}, State{}},
		"a cordon alone is no drain":                 {[]Daemon{cordoned(0, "a"), fine(1, "b")}, State{}, Facts{}, State{}},
		"a broken OSD is no drain":                   {[]Daemon{broken(0, "a"), fine(1, "b")}, State{}, degraded, State{}},
		"an OSD was evicted":                         {[]Daemon{evicted(0, "a"), cordoned(1, "a"), fine(2, "b")}, State{}, degraded, begun(0)},
		"somebody set noout before":                  {[]Daemon{evicted(0, "a"), fine(2, "b")}, State{}, Facts{Known: true, NoOut: map[string]bool{"a": true}}, silent(begun(0))},
		"Ceph does not let it":                       {[]Daemon{evicted(0, "a"), cordoned(1, "a"), fine(2, "b")}, State{}, refusing, waits},
		"Ceph lets it now":                           {[]Daemon{evicted(0, "a"), cordoned(1, "a"), fine(2, "b")}, waits, degraded, begun(0)},
		"it is given up":                             {[]Daemon{fine(0, "a"), fine(2, "b")}, waits, clean, State{}},
		"and Ceph need not be asked":                 {[]Daemon{fine(0, "a"), fine(2, "b")}, waits, Facts{}, State{}},
		"Ceph does not answer":                       {[]Daemon{evicted(0, "a"), fine(2, "b")}, State{}, Facts{}, State{}},
		"Ceph ceases to answer":                      {[]Daemon{fine(0, "a"), fine(2, "b")}, begun(time.Hour), Facts{}, begun(time.Hour)},
		"it goes on":                                 {[]Daemon{evicted(0, "a"), fine(2, "b")}, begun(time.Minute), degraded, begun(time.Minute)},
		"the data is whole without it":               {[]Daemon{evicted(0, "a"), fine(2, "b")}, begun(time.Minute), clean, begun(time.Minute)},
		"it takes long":                              {[]Daemon{evicted(0, "a"), fine(2, "b")}, begun(time.Hour), degraded, silent(begun(time.Hour))},
		"and the flag does not come back":            {[]Daemon{evicted(0, "a"), fine(2, "b")}, silent(begun(time.Minute)), degraded, silent(begun(time.Minute))},
		"its OSDs are back, the data is not":         {[]Daemon{fine(0, "a"), fine(2, "b")}, begun(time.Minute), degraded, begun(time.Minute)},
		"its OSDs and the data are back":             {[]Daemon{fine(0, "a"), fine(2, "b")}, begun(time.Minute), clean, State{}},
		"the data is not back for long":              {[]Daemon{fine(0, "a"), fine(2, "b")}, begun(time.Hour), degraded, State{}},
		"its node is back, its OSD is not":           {[]Daemon{broken(0, "a"), fine(2, "b")}, begun(time.Minute), degraded, begun(time.Minute)},
		"and it is not back for long":                {[]Daemon{broken(0, "a"), fine(2, "b")}, begun(time.Hour), degraded, State{}},
		"its OSDs were removed":                      {[]Daemon{fine(2, "b")}, begun(time.Minute), clean, State{}},
		"another one has to wait its turn":           {[]Daemon{evicted(0, "a"), evicted(2, "b")}, begun(time.Minute), degraded, begun(time.Minute)},
		"another one has its turn":                   {[]Daemon{fine(0, "a"), evicted(2, "b")}, begun(time.Hour), degraded, State{Domain: "b", Since: now, NoOut: true}},
		"two at once: the one that Ceph lets":        {[]Daemon{evicted(0, "a"), evicted(2, "b")}, State{}, refusing, State{Domain: "b", Since: now, NoOut: true}},
		"two at once: one after the other in order":  {[]Daemon{evicted(2, "b"), evicted(0, "a")}, State{}, degraded, begun(0)},
		"the last one ends when all OSDs were taken": {nil, begun(time.Hour), clean, State{}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got := Decide(Observed{Daemons: test.daemons, State: test.state, Facts: test.facts}, timeout, now)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
				test.daemons = slices.Clone(test.daemons)
				slices.Reverse(test.daemons) // no order is better than another
			}
		})
	}
}
