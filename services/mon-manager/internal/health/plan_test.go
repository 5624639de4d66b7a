package health

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func at(seconds int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func seen(health string, used uint64, checks map[string]string) Seen {
	s := Seen{Versions: ceph.Versions{"mon": {"ceph version 18.2.7": 3}, "osd": {}}}
	s.Status.FSID = "f"
	s.Status.Health.Status = health
	s.Status.Health.Checks = map[string]ceph.HealthCheck{}
	for code, message := range checks {
		s.Status.Health.Checks[code] = ceph.HealthCheck{Severity: "HEALTH_WARN", Summary: ceph.HealthSummary{Message: message}}
	}
	s.Status.PGMap = ceph.PGMap{BytesTotal: 1000, BytesUsed: used, BytesAvail: 1000 - used}
	return s
}

func TestFirstStatusHoldsEverything(t *testing.T) {
	got, again := Next(nil, seen("HEALTH_WARN", 100, map[string]string{"OSD_DOWN": "1 osds down"}), at(0))
	want := &api.CephStatus{
		Health: "HEALTH_WARN", FSID: "f", LastChecked: "2026-03-01T12:00:00Z", LastChanged: "2026-03-01T12:00:00Z",
		Details:  map[string]api.CephHealthMessage{"OSD_DOWN": {Severity: "HEALTH_WARN", Message: "1 osds down"}},
		Capacity: &api.Capacity{TotalBytes: 1000, UsedBytes: 100, AvailableBytes: 900, LastUpdated: "2026-03-01T12:00:00Z"},
		Versions: &api.CephDaemonsVersions{Mon: map[string]int32{"ceph version 18.2.7": 3}},
	}
	if diff := cmp.Diff(want, got); diff != "" || again != 0 {
		t.Errorf("status (-want +got):\n%s\nagain %v", diff, again)
	}
}

func TestNothingNewIsNotWritten(t *testing.T) {
	first, _ := Next(nil, seen("HEALTH_OK", 100, nil), at(0))
	for _, used := range []uint64{100, 101, 104, 96} {
		second, again := Next(first, seen("HEALTH_OK", used, nil), at(60))
		if diff := cmp.Diff(first, second); diff != "" || again != 0 {
			t.Errorf("%d used bytes: the status changed:\n%s", used, diff)
		}
	}
}

func TestChangesAreStamped(t *testing.T) {
	first, _ := Next(nil, seen("HEALTH_OK", 100, nil), at(0))
	second, _ := Next(first, seen("HEALTH_ERR", 105, map[string]string{"MON_DOWN": "1/3 mons down"}), at(60))
	if second.PreviousHealth != "HEALTH_OK" || second.LastChanged != "2026-03-01T12:01:00Z" || second.LastChecked != second.LastChanged {
		t.Errorf("previous %q, changed %q, checked %q", second.PreviousHealth, second.LastChanged, second.LastChecked)
	}
	if second.Capacity.UsedBytes != 105 || second.Capacity.LastUpdated != "2026-03-01T12:01:00Z" {
		t.Errorf("capacity %+v", second.Capacity)
	}
	third, _ := Next(second, seen("HEALTH_OK", 105, nil), at(120))
	if third.Details != nil || third.PreviousHealth != "HEALTH_ERR" {
		t.Errorf("details %v, previous %q", third.Details, third.PreviousHealth)
	}
}

func TestTickingCountersWait(t *testing.T) {
	first, _ := Next(nil, seen("HEALTH_WARN", 100, map[string]string{"PG_DEGRADED": "Degraded data: 10/300 objects (3.3%)"}), at(0))
	second, again := Next(first, seen("HEALTH_WARN", 100, map[string]string{"PG_DEGRADED": "Degraded data: 9/300 objects (3.0%)"}), at(10))
	if diff := cmp.Diff(first, second); diff != "" || again != 20*time.Second {
		t.Errorf("a counter was written at once, again %v:\n%s", again, diff)
	}
	third, _ := Next(first, seen("HEALTH_WARN", 100, map[string]string{"PG_DEGRADED": "Degraded data: 2/300 objects (0.6%)"}), at(30))
	if third.Details["PG_DEGRADED"].Message != "Degraded data: 2/300 objects (0.6%)" {
		t.Errorf("an old counter stays: %v", third.Details)
	}
	other, _ := Next(first, seen("HEALTH_WARN", 100, map[string]string{"PG_DEGRADED": "Reduced data availability"}), at(10))
	if other.Details["PG_DEGRADED"].Message != "Reduced data availability" {
		t.Error("other words were held back")
	}
}

func TestMutedChecksAreNotTold(t *testing.T) {
	input := seen("HEALTH_OK", 1, map[string]string{"X": "x"})
	check := input.Status.Health.Checks["X"]
	check.Muted = true
	input.Status.Health.Checks["X"] = check
	if got, _ := Next(nil, input, at(0)); got.Details != nil {
		t.Errorf("details %v", got.Details)
	}
}

func TestNobodyAnswers(t *testing.T) {
	if got := Unreachable(nil, "x", at(0)); got != nil {
		t.Errorf("a cluster that never answered has a status: %v", got)
	}
	first, _ := Next(nil, seen("HEALTH_OK", 100, nil), at(0))
	second := Unreachable(first, "no majority", at(5))
	if second.Health != "HEALTH_ERR" || second.Capacity == nil || second.Details["NOT_REACHABLE"].Message != "no majority" {
		t.Errorf("status %+v", second)
	}
	if diff := cmp.Diff(second, Unreachable(second, "no majority", at(10))); diff != "" {
		t.Errorf("the same is written again:\n%s", diff)
	}
}
