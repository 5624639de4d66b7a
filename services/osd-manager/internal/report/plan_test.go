package report

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/selection"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// osd is a prepared OSD, changed by the options.
func osd(id int32, options ...func(*Daemon)) Daemon {
	d := Daemon{
		OSD: inventory.CephOSD{
			ObjectMeta: metav1.ObjectMeta{Name: "n1-sd"},
			Spec:       inventory.CephOSDSpec{ID: ptr.To(id), Node: "n1", Disk: inventory.DiskReference{StableID: "wwn:1"}},
			Status:     inventory.CephOSDStatus{Conditions: []api.Condition{{Type: fleet.ConditionPrepared, Status: metav1.ConditionTrue}}},
		},
		Disk:  &inventory.CephDisk{Status: inventory.CephDiskStatus{Device: "sda", SizeBytes: 1 << 40}},
		State: &ceph.OSDState{ID: int(id), Up: true, In: true, UpFrom: 5},
	}
	for _, option := range options {
		option(&d)
	}
	return d
}

func down(d *Daemon)  { d.State.Up = false }
func never(d *Daemon) { d.State.Up, d.State.UpFrom = false, 0 }
func out(d *Daemon)   { d.State.In = false }
func gone(d *Daemon)  { d.Disk = nil }

func unprepared(reason string) func(*Daemon) {
	return func(d *Daemon) {
		d.State = nil
		d.OSD.Status.Conditions[0] = api.Condition{Type: fleet.ConditionPrepared, Status: metav1.ConditionFalse, Reason: reason, Message: "why"}
	}
}

func pgs(states ...string) ceph.PGMap {
	var m ceph.PGMap
	for _, state := range states {
		m.PGsByState = append(m.PGsByState, struct {
			StateName string `json:"state_name"`
			Count     int    `json:"count"`
		}{state, 1})
	}
	return m
}

func TestDecide(t *testing.T) {
	for name, test := range map[string]struct {
		seen        Observed
		reason      string
		message     string
		wantServing bool
	}{
		"all up":                       {Observed{Daemons: []Daemon{osd(0), osd(1)}, PGMap: pgs("active+clean")}, "", "", true},
		"one out on purpose":           {Observed{Daemons: []Daemon{osd(0), osd(1, out)}}, "", "", true},
		"degraded but active":          {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("active+undersized")}, "", "", true},
		"no OSD":                       {Observed{}, api.ReasonNoDisks, "No disk is selected; kubectl get cephdisks -o wide says why", false},
		"no OSD for a reason":          {Observed{Problems: []selection.Problem{{Message: "bad filter"}}}, api.ReasonNoDisks, "No disk is an OSD: bad filter", false},
		"one down":                     {Observed{Daemons: []Daemon{osd(0), osd(1, down)}, Serving: true}, api.ReasonOSDsDown, "osd.1 on node n1 down", false},
		"one whose disk is gone":       {Observed{Daemons: []Daemon{osd(0), osd(1, down, gone)}, Serving: true}, api.ReasonOSDsDown, "osd.1 on node n1 down", false},
		"one in preparation":           {Observed{Daemons: []Daemon{osd(0), osd(1, unprepared(api.ReasonOSDsPreparing))}}, api.ReasonOSDsPreparing, "Preparing osd.1 on node n1", false},
		"one starting":                 {Observed{Daemons: []Daemon{osd(0), osd(1, never)}}, api.ReasonOSDsStarting, "Waiting for osd.1 on node n1", false},
		"one joins what serves":        {Observed{Daemons: []Daemon{osd(0), osd(1, unprepared(api.ReasonOSDsPreparing)), osd(2, never)}, Serving: true}, "", "", true},
		"one failed":                   {Observed{Daemons: []Daemon{osd(0), osd(1, unprepared(fleet.ReasonFailed))}}, "", "", true},
		"all failed":                   {Observed{Daemons: []Daemon{osd(1, unprepared(fleet.ReasonFailed))}}, api.ReasonPreparationFailed, "No disk could be prepared: osd.1 on node n1", false},
		"inactive placement groups":    {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("peering", "active+clean", "down")}, api.ReasonPGsInactive, "Placement groups are down, peering", false},
		"unknown placement groups":     {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("unknown")}, api.ReasonPGsInactive, "Placement groups are unknown", false},
		"a new pool where all serve":   {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("unknown", "creating+peering", "active+clean"), NewPGs: 2, Serving: true}, "", "", true},
		"a new pool is undersized":     {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("creating+activating+undersized+degraded"), NewPGs: 1, Serving: true}, "", "", true},
		"a first pool":                 {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("creating+peering"), NewPGs: 1}, api.ReasonPGsInactive, "Placement groups are creating+peering", false},
		"more than the new pool has":   {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("unknown", "peering"), NewPGs: 1, Passing: moment, Serving: true}, api.ReasonPGsInactive, "Placement groups are peering, unknown", false},
		"a pool that stays inactive":   {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("unknown"), Passing: moment, Serving: true}, api.ReasonPGsInactive, "Placement groups are unknown", false},
		"peering for a moment":         {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("peering", "active+clean"), Passing: moment - 1, Serving: true}, "", "", true},
		"peering beside an outage":     {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("peering", "down"), Serving: true}, api.ReasonPGsInactive, "Placement groups are down, peering", false},
		"a new pool beside an outage":  {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("creating", "down"), NewPGs: 8, Serving: true}, api.ReasonPGsInactive, "Placement groups are creating, down", false},
		"too few copies of a new pool": {Observed{Daemons: []Daemon{osd(0)}, PGMap: pgs("undersized+peered"), NewPGs: 8, Serving: true}, api.ReasonPGsInactive, "Placement groups are undersized+peered", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(test.seen)
			if got.IsDone() != test.wantServing || got.Reason != test.reason || got.Message != test.message {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestOnlyPoolsThatWereJustMadeAreNew(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		age  time.Duration
		want int
	}{
		"just made":                    {time.Second, 32},
		"made by a clock that is fast": {-5 * time.Second, 32},
		"not new any more":             {time.Minute, 0},
		"made in a far future":         {-time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pools := []ceph.Pool{
				{PGNum: 8, PGNumTarget: 32, CreateTime: ceph.Time{Time: now.Add(-test.age)}},
				{PGNum: 64}, // nobody knows when
			}
			if got := newPGs(pools, now); got != test.want {
				t.Errorf("%d placement groups are new, want %d", got, test.want)
			}
		})
	}
}

func TestTheLifeOfAnOSD(t *testing.T) {
	for name, test := range map[string]struct {
		daemon Daemon
		want   inventory.OSDState
	}{
		"runs":                             {osd(0), inventory.OSDStateRunning},
		"runs though its disk is not seen": {osd(0, gone), inventory.OSDStateRunning},
		"starts":                           {osd(0, never), inventory.OSDStateStarting},
		"is down":                          {osd(0, down), inventory.OSDStateDown},
		"lost its disk":                    {osd(0, down, gone), inventory.OSDStateMissing},
		"is prepared":                      {osd(0, unprepared(api.ReasonOSDsPreparing)), inventory.OSDStatePreparing},
		"failed":                           {osd(0, unprepared(fleet.ReasonFailed)), inventory.OSDStateFailed},
		"was refused":                      {osd(0, unprepared(fleet.ReasonRefused)), inventory.OSDStateFailed},
		"is not in the OSD map":            {osd(0, func(d *Daemon) { d.State = nil }), inventory.OSDStateStarting},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := lifeOf(test.daemon); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestUsageIsRounded(t *testing.T) {
	for kb, want := range map[uint64]string{0: "0%", 4: "0%", 5: "1%", 374: "37%", 1000: "100%"} {
		d := osd(0, func(d *Daemon) { d.Usage = &ceph.OSDUsage{KB: 1000, KBUsed: kb} })
		if got := osdStatus(d).Used; got != want {
			t.Errorf("%d of 1000: %s, want %s", kb, got, want)
		}
	}
	if got := osdStatus(osd(0, func(d *Daemon) { d.Usage = &ceph.OSDUsage{} })).Used; got != "" {
		t.Errorf("unknown usage reads %q", got)
	}
}

func TestCommonIsEmptyWhileOSDsDiffer(t *testing.T) {
	with := func(id int32, version, image string) Daemon {
		return osd(id, func(d *Daemon) { d.Metadata, d.Image = &ceph.OSDMetadata{Short: version}, image })
	}
	if got := common([]Daemon{with(0, "18.2.7", "a"), with(1, "18.2.7", "a"), osd(2, unprepared("x"))}); got != (api.DaemonStatus{Version: "18.2.7-0", Image: "a"}) {
		t.Errorf("got %+v", got)
	}
	if got := common([]Daemon{with(0, "18.2.7", "a"), with(1, "20.2.4", "b")}); got != (api.DaemonStatus{}) {
		t.Errorf("got %+v while they differ", got)
	}
}

func TestAReleaseIsRequiredOnlyWhenAllOSDsRunIt(t *testing.T) {
	all := ceph.OSDMap{RequireOSDRelease: "reef", OSDs: []ceph.OSDState{{ID: 0, Up: true}, {ID: 1, Up: true}}}
	told := func(releases ...string) []ceph.OSDMetadata {
		var list []ceph.OSDMetadata
		for id, release := range releases {
			list = append(list, ceph.OSDMetadata{ID: id, Release: release})
		}
		return list
	}
	oneDown := ceph.OSDMap{RequireOSDRelease: "reef", OSDs: []ceph.OSDState{{ID: 0, Up: true}, {ID: 1}}}
	for name, test := range map[string]struct {
		osdmap   ceph.OSDMap
		metadata []ceph.OSDMetadata
		want     string
	}{
		"all run the next one":    {all, told("tentacle", "tentacle"), "tentacle"},
		"all run the present one": {all, told("reef", "reef"), ""},
		"one is behind":           {all, told("tentacle", "reef"), ""},
		"one is down":             {oneDown, told("tentacle", "tentacle"), ""},
		"one did not tell":        {all, told("tentacle"), ""},
		"there is none":           {ceph.OSDMap{RequireOSDRelease: "reef"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newRelease(test.osdmap, test.metadata); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
