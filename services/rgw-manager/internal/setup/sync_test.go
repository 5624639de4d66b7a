package setup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// upTo is a sight of objects that are copied from rome up to a marker.
func upTo(marker, end string) syncstate.Sight {
	return syncstate.Sight{Copies: []syncstate.Copy{{Kind: api.ObjectSyncData, Zone: "rome", Ends: []string{end},
		Progress: ops.Progress{Syncing: true, Shards: []ops.Shard{{Following: true, Marker: marker}}}}}}
}

// later lets time pass, and all act.
func (w *world) later(after time.Duration) {
	w.t.Helper()
	w.clock.SetTime(w.clock.Now().Add(after))
	w.settle()
}

func (w *world) sync(zone *api.CephObjectZone) api.ObjectSyncStatus {
	w.t.Helper()
	status := w.multisite(zone)
	if status == nil || status.Sync == nil {
		return api.ObjectSyncStatus{}
	}
	return *status.Sync
}

func TestAZoneTellsHowFarItIsBehind(t *testing.T) {
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone, someStore("shop", inZone))
	w.sights.now = upTo("1", "2")
	w.settle()
	w.later(time.Minute)
	if got := w.sync(zone); got.State != api.ObjectSyncBehind || got.Sources[0].BehindShards != 1 || w.sights.store != "shop" || w.sights.zone != "id-paris" {
		t.Fatalf("sync: %+v, asked %s about %s", got, w.sights.store, w.sights.zone)
	}
	asked := w.sights.asked
	w.later(20 * time.Second)
	if w.sights.asked != asked {
		t.Error("it was looked at again within 30 s")
	}
	w.sights.now = upTo("2", "2")
	w.later(10 * time.Second)
	if got := w.sync(zone); got.State != api.ObjectSyncCaughtUp {
		t.Errorf("sync: %+v", got)
	}
	w.quiet(2)
	since, writes := w.sync(zone).Since, w.writes
	for _, now := range []syncstate.Sight{upTo("3", "3"), upTo("4", "5"), upTo("5", "9")} {
		w.sights.now = now
		w.later(time.Minute)
	}
	if got := w.sync(zone); w.writes != writes || !got.Since.Equal(since) {
		t.Errorf("a zone that keeps up was written %d times: %+v", w.writes-writes, got)
	}
}

func TestAZoneThatCannotCopyIsToldOnce(t *testing.T) {
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone, someStore("shop", inZone))
	w.sights.now = upTo("2", "2")
	w.settle()
	w.later(time.Minute)
	w.told()
	w.sights.now = syncstate.Sight{Copies: []syncstate.Copy{{Kind: api.ObjectSyncData, Zone: "rome", Problem: "it is silent"}}}
	for range 5 {
		w.later(time.Minute)
	}
	if got := w.sync(zone); got.State != api.ObjectSyncFailed || got.Sources[0].Message != "it is silent" {
		t.Errorf("sync: %+v", got)
	}
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "SyncFailed Cannot tell how far the data of zone rome is copied: it is silent") {
		t.Errorf("events: %v", told)
	}
	if c := w.is(zone, api.ConditionReady); c.Status != "True" {
		t.Errorf("the zone is not ready for the sake of another: %+v", c)
	}
}

func TestAZoneThatNobodyServesOrThatIsAloneHasNoStateOfSync(t *testing.T) {
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone)
	w.sights.now = upTo("1", "2")
	w.settle()
	if w.sights.asked != 0 || w.multisite(zone).Sync != nil {
		t.Errorf("nobody serves it, and it says %+v", w.multisite(zone).Sync)
	}
	w.sights.now = syncstate.Sight{}
	w.create(someStore("shop", inZone))
	w.settle()
	w.later(time.Minute)
	asked := w.sights.asked
	w.later(50 * time.Second)
	if w.sights.asked != asked || w.multisite(zone).Sync != nil {
		t.Errorf("a zone that is alone was looked at %d times within a minute: %+v", w.sights.asked-asked, w.multisite(zone).Sync)
	}
}

func TestGatewaysThatCannotBeAskedAboutSyncAreNotAskedAllTheTime(t *testing.T) {
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone, someStore("shop", inZone))
	w.sights.silent = true
	w.settle()
	w.later(time.Minute)
	asked := w.sights.asked
	w.later(time.Second)
	if c := w.is(zone, api.ConditionReady); w.sights.asked != asked || c.Status != "True" {
		t.Errorf("asked %d times, Ready %+v", w.sights.asked-asked, c)
	}
}
