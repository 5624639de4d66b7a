package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestDecide(t *testing.T) {
	now := time.Unix(10000, 0)
	settled := func(id int, domain string) Daemon {
		return Daemon{ID: id, Domain: domain, Exists: true, Settled: true, Available: true}
	}
	stale := func(id int, domain string) Daemon {
		return Daemon{ID: id, Domain: domain, Exists: true, Available: true}
	}
	gone := func(d Daemon, since time.Duration) Daemon {
		d.Available, d.Since = false, now.Add(-since)
		return d
	}
	back := func(d Daemon, since time.Duration) Daemon {
		d.Since = now.Add(-since)
		return d
	}
	for name, test := range map[string]struct {
		daemons []Daemon
		want    Plan
	}{
		"nothing to do":                   {[]Daemon{settled(0, "a"), settled(1, "b")}, Plan{}},
		"a missing one is made at once":   {[]Daemon{{ID: 0, Domain: "a"}, settled(1, "b")}, Plan{Now: []int{0}}},
		"one domain after the other":      {[]Daemon{stale(2, "b"), stale(1, "a"), stale(0, "a")}, Plan{Next: []int{0, 1}}},
		"a changed one is waited for":     {[]Daemon{gone(settled(0, "a"), time.Minute), stale(1, "b")}, Plan{Next: []int{1}, Returning: []int{0}}},
		"and is given time to settle":     {[]Daemon{back(settled(0, "a"), 5*time.Second), stale(1, "b")}, Plan{Next: []int{1}, Returning: []int{0}}},
		"but not for ever":                {[]Daemon{gone(settled(0, "a"), time.Hour), stale(1, "b")}, Plan{Next: []int{1}}},
		"what is down is mended at once":  {[]Daemon{gone(stale(0, "a"), time.Minute), stale(1, "b")}, Plan{Now: []int{0}, Next: []int{1}}},
		"a paused one is left alone":      {[]Daemon{{ID: 0, Domain: "a", Paused: true}, {ID: 1, Domain: "a", Exists: true, Paused: true}}, Plan{}},
		"all are new in a new cluster":    {[]Daemon{{ID: 2, Domain: "c"}, {ID: 0, Domain: "a"}, {ID: 1, Domain: "b"}}, Plan{Now: []int{0, 1, 2}}},
		"never two domains in one change": {[]Daemon{stale(0, "a"), stale(1, "b"), stale(2, "c"), stale(3, "a")}, Plan{Next: []int{0, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Decide(test.daemons, 10*time.Minute, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUncleanCountsWhatLacksSomething(t *testing.T) {
	status := ceph.Status{}
	for state, count := range map[string]int{
		"active+clean": 100, "active+clean+scrubbing+deep": 2, "active+clean+snaptrim": 1,
		"active+undersized+degraded": 3, "peering": 4, "active+remapped+backfilling": 5,
	} {
		status.PGMap.PGsByState = append(status.PGMap.PGsByState, struct {
			StateName string `json:"state_name"`
			Count     int    `json:"count"`
		}{state, count})
	}
	if got := Unclean(status, &api.CephCluster{}); got != 12 {
		t.Errorf("got %d, want 12", got)
	}
	lenient := &api.CephCluster{}
	lenient.Spec.DisruptionManagement.PGHealthyRegex = "^active"
	if got := Unclean(status, lenient); got != 4 {
		t.Errorf("got %d, want the peering ones only", got)
	}
	broken := &api.CephCluster{}
	broken.Spec.DisruptionManagement.PGHealthyRegex = "("
	if got := Unclean(status, broken); got != 12 {
		t.Errorf("got %d: an expression that is none must not switch the gate off", got)
	}
}

func TestWorse(t *testing.T) {
	for name, test := range map[string]struct {
		now  int
		note string
		want bool
	}{
		"as before":               {3, "3", false},
		"better":                  {0, "3", false},
		"worse":                   {4, "3", true},
		"clean without a note":    {0, "", false},
		"not clean, without note": {1, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worse(test.now, test.note); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOSDsRunTheImageOfTheMgrs(t *testing.T) {
	cluster := &api.CephCluster{}
	cluster.Spec.CephVersion.Image = "new"
	if got := Image(cluster); got != "new" {
		t.Errorf("a new cluster: %s", got)
	}
	cluster.Status.Daemons = map[string]api.DaemonStatus{api.RoleMon: {Image: "new"}, api.RoleMgr: {Image: "old"}}
	if got := Image(cluster); got != "old" {
		t.Errorf("mons are ahead of mgrs: %s", got)
	}
}
