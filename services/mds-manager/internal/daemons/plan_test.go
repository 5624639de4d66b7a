package daemons_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// running is a metadata server as it should be, with a rank; -1 is a standby.
func running(id string, rank int, edit ...func(*daemons.Daemon)) daemons.Daemon {
	d := daemons.Daemon{ID: id, Wanted: true, Exists: true, Settled: true, Available: true, Rank: rank, State: ceph.MDSActive}
	if rank < 0 {
		d.State = ceph.MDSStandby
	}
	for _, e := range edit {
		e(&d)
	}
	return d
}

func changed(d *daemons.Daemon)   { d.Settled = false }
func renewed(d *daemons.Daemon)   { d.Settled, d.Renewed = false, true }
func gone(d *daemons.Daemon)      { d.Available, d.State, d.Rank = false, "", -1 }
func unready(d *daemons.Daemon)   { d.Available = false }
func surplus(d *daemons.Daemon)   { d.Wanted, d.Settled = false, false }
func paused(d *daemons.Daemon)    { d.Paused = true }
func following(d *daemons.Daemon) { d.State = ceph.MDSStandbyReplay }

func TestDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		list []daemons.Daemon
		want daemons.Plan
	}{
		"leaves_what_is_settled":                 {[]daemons.Daemon{running("f-a", 0), running("f-b", -1)}, daemons.Plan{}},
		"makes_all_that_are_missing":             {[]daemons.Daemon{{ID: "f-b", Wanted: true}, {ID: "f-a", Wanted: true}}, daemons.Plan{Now: []string{"f-a", "f-b"}}},
		"changes_one_that_does_not_run":          {[]daemons.Daemon{running("f-a", 0), running("f-b", -1, changed, gone)}, daemons.Plan{Now: []string{"f-b"}}},
		"asks_before_an_unready_one_that_serves": {[]daemons.Daemon{running("f-a", 0, changed, unready), running("f-b", -1)}, daemons.Plan{Next: "f-a"}},
		"changes_an_unready_standby_at_once":     {[]daemons.Daemon{running("f-a", 0), running("f-b", -1, changed, unready)}, daemons.Plan{Now: []string{"f-b"}}},
		"retires_an_unready_one_that_serves":     {[]daemons.Daemon{running("f-a", 0), running("f-b", 1, surplus, unready)}, daemons.Plan{Retire: "f-b"}},
		"drops_an_unready_standby":               {[]daemons.Daemon{running("f-a", 0), running("f-b", -1, surplus, unready)}, daemons.Plan{Drop: []string{"f-b"}}},
		"changes_a_standby_first":                {[]daemons.Daemon{running("f-a", -1, changed), running("f-b", 0, changed)}, daemons.Plan{Next: "f-a"}},
		"changes_a_follower_before_a_server":     {[]daemons.Daemon{running("f-a", 0, changed), running("f-b", 0, changed, following)}, daemons.Plan{Next: "f-b"}},
		"changes_rank_0_last":                    {[]daemons.Daemon{running("f-a", 0, changed), running("f-b", 1, changed), running("f-c", -1)}, daemons.Plan{Next: "f-b"}},
		"says_that_a_release_is_new":             {[]daemons.Daemon{running("f-a", 0, renewed), running("f-b", -1)}, daemons.Plan{Next: "f-a", Upgrading: true}},
		"waits_for_one_to_return":                {[]daemons.Daemon{running("f-a", 0, changed), running("f-b", -1, gone)}, daemons.Plan{Next: "f-a", Returning: []string{"f-b"}}},
		"waits_until_the_monitors_know_it":       {[]daemons.Daemon{running("f-a", -1, func(d *daemons.Daemon) { d.State = "" })}, daemons.Plan{Returning: []string{"f-a"}}},
		"retires_a_standby_before_a_server":      {[]daemons.Daemon{running("f-a", -1), running("f-b", -1, surplus), running("f-c", 0, surplus)}, daemons.Plan{Retire: "f-b"}},
		"drops_a_surplus_that_does_not_run":      {[]daemons.Daemon{running("f-a", 0), running("f-b", -1, surplus, gone)}, daemons.Plan{Drop: []string{"f-b"}}},
		"leaves_one_alone_that_somebody_holds":   {[]daemons.Daemon{running("f-a", 0, changed, paused), running("f-b", -1, surplus, paused)}, daemons.Plan{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, daemons.Decide(tc.list)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestRanks(t *testing.T) {
	served := func(maxMDS, in, active int) ceph.MDSMap {
		m := ceph.MDSMap{MaxMDS: maxMDS, Info: map[string]ceph.MDSInfo{}}
		for rank := range in {
			m.In = append(m.In, rank)
		}
		for rank := range active {
			m.Info[string(rune('a'+rank))] = ceph.MDSInfo{Rank: rank, State: ceph.MDSActive}
		}
		return m
	}
	for name, tc := range map[string]struct {
		now             ceph.MDSMap
		wanted, standby int
		upgrading       bool
		want            int
	}{
		"stays":                            {served(2, 2, 2), 2, 0, false, 2},
		"goes_up_by_one":                   {served(1, 1, 1), 3, 2, false, 2},
		"waits_for_a_standby":              {served(1, 1, 1), 3, 0, false, 1},
		"waits_for_the_rank_before":        {served(2, 2, 1), 3, 1, false, 2},
		"goes_down_by_one":                 {served(3, 3, 3), 1, 0, false, 2},
		"waits_until_a_rank_has_ended":     {served(2, 3, 2), 1, 1, false, 2},
		"goes_down_to_one_for_an_upgrade":  {served(2, 2, 2), 2, 2, true, 1},
		"stays_at_one_during_the_upgrade":  {served(1, 1, 1), 2, 2, true, 1},
		"leaves_one_that_was_taken_down":   {served(0, 0, 0), 2, 2, false, 0},
		"goes_down_though_a_rank_is_empty": {served(2, 2, 1), 1, 0, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := daemons.Ranks(tc.now, tc.wanted, tc.standby, tc.upgrading); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestDaemonsAreNamedByLetters(t *testing.T) {
	fs := &api.CephFilesystem{}
	fs.Name, fs.Spec.MetadataServer = "f", api.MetadataServerSpec{ActiveCount: 14, ActiveStandby: true}
	ids := daemons.IDs(fs)
	if len(ids) != 28 || ids[0] != "f-a" || ids[25] != "f-z" || ids[26] != "f-aa" || ids[27] != "f-ab" {
		t.Errorf("got %v", ids)
	}
	if got := daemons.Letter(26 * 27); got != "aaa" {
		t.Errorf("got %s, want aaa", got)
	}
}
