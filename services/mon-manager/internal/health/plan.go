package health

import (
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/equality"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	// capacityStep is the part of the capacity by which the used bytes have to
	// move before they are written again.
	capacityStep = 200
	// countsEvery is how often counters inside of messages are written again,
	// while the messages say the same otherwise.
	countsEvery = 30 * time.Second

	healthError = "HEALTH_ERR"
)

// Seen is what Ceph said.
type Seen struct {
	Status   ceph.Status
	Versions ceph.Versions
}

// Next returns the status to write, and after which time to look again because
// something was held back (0: never). Equal input gives an equal status.
func Next(old *api.CephStatus, seen Seen, now time.Time) (*api.CephStatus, time.Duration) {
	if old == nil {
		old = &api.CephStatus{}
	}
	next := old.DeepCopy()
	next.FSID = seen.Status.FSID
	next.Health = seen.Status.Health.Status
	next.Versions = versions(seen.Versions)
	again := setDetails(old, next, details(seen.Status.Health), now)
	capacity(next, seen.Status.PGMap, now)
	return finish(old, next, now), again
}

// Unreachable returns the status of a cluster that nobody answers for.
func Unreachable(old *api.CephStatus, reason string, now time.Time) *api.CephStatus {
	if old == nil {
		return nil // never reached: there is nothing to report about
	}
	next := old.DeepCopy()
	next.Health = healthError
	next.Details = map[string]api.CephHealthMessage{
		"NOT_REACHABLE": {Severity: healthError, Message: reason},
	}
	return finish(old, next, now)
}

// finish stamps what changed.
func finish(old, next *api.CephStatus, now time.Time) *api.CephStatus {
	stamp := now.UTC().Format(time.RFC3339)
	if old.Health != next.Health {
		next.PreviousHealth = old.Health
		next.LastChanged = stamp
	}
	if !equality.Semantic.DeepEqual(old, next) {
		next.LastChecked = stamp
	}
	return next
}

func details(health ceph.Health) map[string]api.CephHealthMessage {
	found := map[string]api.CephHealthMessage{}
	for code, check := range health.Checks {
		if !check.Muted {
			found[code] = api.CephHealthMessage{Severity: check.Severity, Message: check.Summary.Message}
		}
	}
	return found
}

// setDetails takes the details over. When only numbers in the messages moved,
// the old words stand until they are old enough.
func setDetails(old, next *api.CephStatus, found map[string]api.CephHealthMessage, now time.Time) time.Duration {
	if len(found) == 0 {
		next.Details = nil
		return 0
	}
	if equality.Semantic.DeepEqual(old.Details, found) {
		return 0
	}
	written, err := time.Parse(time.RFC3339, old.LastChecked)
	if err == nil && sameWords(old.Details, found) {
		if left := countsEvery - now.Sub(written); left > 0 {
			return left
		}
	}
	next.Details = found
	return 0
}

// sameWords tells whether two lists of details differ in numbers only.
func sameWords(a, b map[string]api.CephHealthMessage) bool {
	if len(a) != len(b) {
		return false
	}
	for code, left := range a {
		right, found := b[code]
		if !found || left.Severity != right.Severity || words(left.Message) != words(right.Message) {
			return false
		}
	}
	return true
}

func words(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == '.' {
			return -1
		}
		return r
	}, text)
}

// capacity takes the capacity over when it moved by a step or more.
func capacity(next *api.CephStatus, pgmap ceph.PGMap, now time.Time) {
	if pgmap.BytesTotal == 0 {
		next.Capacity = nil
		return
	}
	total, used := int64(pgmap.BytesTotal), int64(pgmap.BytesUsed)
	if old := next.Capacity; old != nil && old.TotalBytes == total {
		moved := max(used-old.UsedBytes, old.UsedBytes-used)
		if moved*capacityStep < total {
			return
		}
	}
	next.Capacity = &api.Capacity{
		TotalBytes: total, UsedBytes: used, AvailableBytes: int64(pgmap.BytesAvail),
		LastUpdated: now.UTC().Format(time.RFC3339),
	}
}

func versions(seen ceph.Versions) *api.CephDaemonsVersions {
	count := func(role string) map[string]int32 {
		if len(seen[role]) == 0 {
			return nil
		}
		out := map[string]int32{}
		for text, n := range seen[role] {
			out[text] = int32(n) // a count of daemons
		}
		return out
	}
	return &api.CephDaemonsVersions{
		Mon: count(api.RoleMon), Mgr: count(api.RoleMgr), Osd: count(api.RoleOSD), Rgw: count(api.RoleRGW),
		Mds: count(api.RoleMDS), RbdMirror: count("rbd-mirror"), CephFSMirror: count("cephfs-mirror"), Overall: count("overall"),
	}
}
