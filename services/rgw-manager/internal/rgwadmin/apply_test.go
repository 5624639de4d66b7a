package rgwadmin_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/sitetest"
)

const (
	parisURL = "http://paris:80"
	romeURL  = "http://rome:80"
)

var systemKeys = rgwadmin.KeyRef{Secret: "earth-keys", AccessKey: "a", SecretKey: "s"}

func keys(ref rgwadmin.KeyRef) (accessKey, secretKey string, err error) {
	if strings.HasPrefix(ref.Secret, "lost") {
		return "", "", errors.New("no such file")
	}
	return ref.Secret + "-access", ref.Secret + "-secret", nil
}

func system() []rgwadmin.User {
	return []rgwadmin.User{{ID: "system", DisplayName: "System", System: true, Keys: systemKeys}}
}

// ownStore is what a store with a realm of its own wants.
func ownStore(edit ...func(*rgwadmin.Wanted)) rgwadmin.Wanted {
	wanted := rgwadmin.Wanted{
		Realm: rgwadmin.Realm{Name: "shop"}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "shop", Hostnames: []string{"s3.example.com"}},
		Zone: &rgwadmin.Zone{Name: "shop", Endpoints: []string{"http://shop:80"}},
		Users: []rgwadmin.User{{ID: "admin", DisplayName: "Administrator", Caps: "users=*;zone=read",
			Keys: rgwadmin.KeyRef{Secret: "admin", AccessKey: "a", SecretKey: "s"}}},
	}
	for _, e := range edit {
		e(&wanted)
	}
	return wanted
}

// zoneOf is what a zone of realm earth wants, with all that it is in.
func zoneOf(name, url string, edit ...func(*rgwadmin.Wanted)) rgwadmin.Wanted {
	wanted := rgwadmin.Wanted{Realm: rgwadmin.Realm{Name: "earth"}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "europe"},
		Zone: &rgwadmin.Zone{Name: name, Endpoints: []string{url}, SystemKeys: &systemKeys}, Users: system()}
	for _, e := range edit {
		e(&wanted)
	}
	return wanted
}

func pulled(w *rgwadmin.Wanted) { w.Realm.Pull, w.Realm.PullKeys = parisURL, &systemKeys }

func removing(what rgwadmin.Removal) func(*rgwadmin.Wanted) {
	return func(w *rgwadmin.Wanted) {
		w.Remove, w.Users, w.Realm.PullKeys = what, nil, nil
		if w.Zone != nil {
			w.Zone.SystemKeys = nil
		}
	}
}

func apply(t *testing.T, site *sitetest.Site, wanted rgwadmin.Wanted) rgwadmin.Result {
	t.Helper()
	result := rgwadmin.Concluded(rgwadmin.Apply(t.Context(), site, keys, wanted))
	body, err := rgwadmin.Encode(result)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "-secret") {
		t.Errorf("a key is told: %s", body)
	}
	if parsed, err := rgwadmin.Parse(string(body)); err != nil || parsed != result {
		t.Errorf("%s is read as %+v, %v", body, parsed, err)
	}
	return result
}

func applied(t *testing.T, site *sitetest.Site, wanted rgwadmin.Wanted) rgwadmin.Result {
	t.Helper()
	result := apply(t, site, wanted)
	if result.Outcome != rgwadmin.Applied {
		t.Fatalf("got %+v", result)
	}
	return result
}

// quiet wants a second time to change nothing.
func quiet(t *testing.T, site *sitetest.Site, wanted rgwadmin.Wanted) {
	t.Helper()
	site.Ran()
	if again := applied(t, site, wanted); again.Changed || len(site.Ran()) > 0 {
		t.Errorf("the second time something was changed: %+v", again)
	}
}

// TestAZoneTakesThePlaceOfOneThatWasDeleted makes the master zone of a realm anew, over
// a failure of every change.
func TestAZoneTakesThePlaceOfOneThatWasDeleted(t *testing.T) {
	t.Parallel()
	for at := range 5 {
		site := sitetest.New(t, parisURL)
		former := applied(t, site, ownStore())
		applied(t, site, ownStore(removing(rgwadmin.RemoveZone)))
		site.FailAt(at, true)
		_ = apply(t, site, ownStore())
		site.FailAt(0, false)
		next := applied(t, site, ownStore())
		if !next.Master || next.Known.ZoneID == former.Known.ZoneID || next.Known.ZoneGroupID != former.Known.ZoneGroupID {
			t.Errorf("after %+v came %+v", former, next)
		}
		quiet(t, site, ownStore())
	}
}

func TestAStoreOfItsOwnIsMadeOnceAndRemovedWhole(t *testing.T) {
	t.Parallel()
	site, wanted := sitetest.New(t, parisURL), ownStore()
	first := applied(t, site, wanted)
	if !first.Changed || !first.Master || first.Known.RealmID == "" || first.Known.ZoneGroupID == "" || first.Known.ZoneID == "" || first.Hash != wanted.Hash() {
		t.Errorf("the first time: %+v", first)
	}
	group := site.ZoneGroup("shop")
	if group["is_master"] != true || !cmp.Equal(group["hostnames"], []any{"s3.example.com"}) || !cmp.Equal(group["endpoints"], []any{"http://shop:80"}) {
		t.Errorf("zone group: %v", group)
	}
	if user := site.User("admin"); !strings.Contains(string(must(json.Marshal(user["caps"]))), `"perm":"read","type":"zone"`) {
		t.Errorf("user: %v", user)
	}
	quiet(t, site, wanted)
	site.SetBuckets("late")
	got := apply(t, site, ownStore(removing(rgwadmin.RemoveAll)))
	if got.Outcome != rgwadmin.Refused || got.Reason != rgwadmin.ReasonBucketsExist || !strings.Contains(got.Message, "late") || got.Changed {
		t.Errorf("with a bucket: %+v", got)
	}
	site.SetBuckets()
	applied(t, site, ownStore(removing(rgwadmin.RemoveAll)))
	if left := site.Names(); !slices.Equal(left, []string{"user admin"}) { // its pool goes
		t.Errorf("left: %v", left)
	}
	quiet(t, site, ownStore(removing(rgwadmin.RemoveAll)))
}

func must(body []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return body
}

func TestChangesAreMadeAndNothingElse(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, parisURL)
	applied(t, site, ownStore())
	for name, test := range map[string]struct {
		edit func(*rgwadmin.Wanted)
		ran  []string
	}{
		"endpoints": {func(w *rgwadmin.Wanted) { w.Zone.Endpoints = []string{"http://shop:81"} }, []string{"zonegroup set", "period update"}},
		"hostnames": {func(w *rgwadmin.Wanted) { w.ZoneGroup.Hostnames = []string{"other"} }, []string{"zonegroup set", "period update"}},
		"caps":      {func(w *rgwadmin.Wanted) { w.Users[0].Caps = "users=read;zone=*" }, []string{"caps add"}},
		"keys":      {func(w *rgwadmin.Wanted) { w.Users[0].Keys.Secret = "new" }, []string{"key create"}},
		"system":    {func(w *rgwadmin.Wanted) { w.Users[0].System = true }, []string{"user modify"}},
		"default":   {func(w *rgwadmin.Wanted) { w.Realm.Default = true }, []string{"realm default"}},
	} {
		wanted := ownStore(test.edit)
		applied(t, site, ownStore())
		site.Ran()
		applied(t, site, wanted)
		if diff := cmp.Diff(test.ran, site.Ran()); diff != "" {
			t.Errorf("%s: commands (-want +got):\n%s", name, diff)
		}
		quiet(t, site, wanted)
	}
}

// shared puts a zone into two existing pools.
func shared(w *rgwadmin.Wanted) {
	w.Zone.MetadataPool, w.Zone.DefaultPlacement = "meta", "fast"
	w.Zone.Placements = []rgwadmin.Placement{{Name: "fast", IndexPool: "meta:shop.index", DataPool: "data:shop.data", ExtraPool: "meta:shop.extra",
		Classes: map[string]string{"COLD": "cold:shop.COLD"}}}
}

func TestAZoneInSharedPoolsKeepsToItsNamespaces(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, parisURL)
	applied(t, site, ownStore(shared))
	zone := site.Zone("shop")
	if zone["control_pool"] != "meta:shop.control" || zone["domain_root"] != "meta:shop.meta.root" {
		t.Errorf("zone: %v", zone)
	}
	quiet(t, site, ownStore(shared))
	site.Put("meta", "shop.control", "one", "two")
	site.Put("data", "shop.data", "three")
	site.Put("data", "other.data", "four")
	applied(t, site, ownStore(shared, removing(rgwadmin.RemoveAll), func(w *rgwadmin.Wanted) { w.Zone.Purge = true }))
	if len(site.Objects("meta", "shop.control"))+len(site.Objects("data", "shop.data")) > 0 || len(site.Objects("data", "other.data")) != 1 {
		t.Error("what was removed is not what the zone had written")
	}
}

func TestPoolsOfAZoneAreNotMoved(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, parisURL)
	applied(t, site, ownStore(shared))
	for name, edit := range map[string]func(*rgwadmin.Wanted){
		"metadata": func(w *rgwadmin.Wanted) { w.Zone.MetadataPool = "elsewhere" },
		"data":     func(w *rgwadmin.Wanted) { w.Zone.Placements[0].DataPool = "elsewhere:shop.data" },
		"class":    func(w *rgwadmin.Wanted) { w.Zone.Placements[0].Classes["COLD"] = "elsewhere" },
	} {
		site.Ran()
		if got := apply(t, site, ownStore(shared, edit)); got.Outcome != rgwadmin.Refused || got.Reason != "PoolsMoved" || len(site.Ran()) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// realm makes zone paris, the master, on one site and zone rome on another.
func realm(t *testing.T) (paris, rome *sitetest.Site) {
	t.Helper()
	paris = sitetest.New(t, parisURL)
	rome = paris.Beside(romeURL)
	applied(t, paris, zoneOf("paris", parisURL))
	if got := applied(t, rome, zoneOf("rome", romeURL, pulled)); got.Master {
		t.Errorf("the second zone is the master: %+v", got)
	}
	return paris, rome
}

// zonesIn are the zones that a site knows of in zone group europe.
func zonesIn(site *sitetest.Site) []string {
	var found []string
	group := site.ZoneGroup("europe")
	zones, _ := group["zones"].([]any)
	for _, zone := range zones {
		found = append(found, zone.(map[string]any)["name"].(string))
	}
	slices.Sort(found)
	return found
}

func TestAPulledRealmGetsAnotherZone(t *testing.T) {
	t.Parallel()
	paris, rome := realm(t)
	for name, site := range map[string]*sitetest.Site{"paris": paris, "rome": rome} {
		if got := zonesIn(site); !slices.Equal(got, []string{"paris", "rome"}) {
			t.Errorf("%s knows of zones %v", name, got)
		}
	}
	if rome.User("system") != nil {
		t.Error("a user was made beside the master zone")
	}
	quiet(t, paris, zoneOf("paris", parisURL))
	quiet(t, rome, zoneOf("rome", romeURL, pulled))
}

func TestAZoneLeavesItsRealmWithoutAWordOfItsOwnZone(t *testing.T) {
	t.Parallel()
	paris, rome := realm(t)
	applied(t, rome, zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveZone)))
	if got := zonesIn(paris); !slices.Equal(got, []string{"paris"}) {
		t.Errorf("the master still knows of zones %v", got)
	}
	for _, what := range []rgwadmin.Removal{rgwadmin.RemoveZoneGroup, rgwadmin.RemoveRealm} {
		applied(t, rome, zoneOf("rome", romeURL, pulled, removing(what)))
		quiet(t, rome, zoneOf("rome", romeURL, pulled, removing(what)))
	}
	if left := rome.Names(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	quiet(t, paris, zoneOf("paris", parisURL))
	applied(t, paris, zoneOf("paris", parisURL, removing(rgwadmin.RemoveAll)))
}

func TestAZoneStaysWhileTheMasterCannotBeTold(t *testing.T) {
	t.Parallel()
	paris, rome := realm(t)
	paris.Silence(true)
	rome.Ran()
	if got := apply(t, rome, zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveZone))); got.Outcome != rgwadmin.Failed || len(rome.Ran()) > 0 {
		t.Errorf("got %+v", got)
	}
	paris.Silence(false)
	applied(t, rome, zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveZone)))
}

func TestTwoZonesOfOneClusterPart(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, parisURL)
	applied(t, site, zoneOf("paris", parisURL))
	applied(t, site, zoneOf("rome", romeURL))
	applied(t, site, zoneOf("rome", romeURL, removing(rgwadmin.RemoveZone)))
	if got := zonesIn(site); !slices.Equal(got, []string{"paris"}) {
		t.Errorf("zones %v", got)
	}
	quiet(t, site, zoneOf("paris", parisURL))
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	replaced := func(known rgwadmin.Known) func(*rgwadmin.Wanted) {
		return func(w *rgwadmin.Wanted) { w.Known = known }
	}
	for name, test := range map[string]struct {
		wanted rgwadmin.Wanted
		reason string
	}{
		"a_realm_without_a_name":        {rgwadmin.Wanted{}, "InvalidSpec"},
		"a_zone_without_a_group":        {zoneOf("paris", parisURL, func(w *rgwadmin.Wanted) { w.ZoneGroup = nil }), "InvalidSpec"},
		"users_without_a_zone":          {zoneOf("paris", parisURL, func(w *rgwadmin.Wanted) { w.Zone = nil }), "InvalidSpec"},
		"a_removal_of_nothing":          {zoneOf("paris", parisURL, func(w *rgwadmin.Wanted) { w.Zone, w.Users, w.Remove = nil, nil, rgwadmin.RemoveZone }), "InvalidSpec"},
		"a_pull_without_keys":           {zoneOf("paris", parisURL, func(w *rgwadmin.Wanted) { w.Realm.Pull = romeURL }), "InvalidSpec"},
		"a_pull_of_a_realm_of_our_own":  {zoneOf("paris", parisURL, pulled), "RealmExists"},
		"another_realm":                 {zoneOf("paris", parisURL, replaced(rgwadmin.Known{RealmID: "x"})), "RealmReplaced"},
		"another_zone_group":            {zoneOf("paris", parisURL, replaced(rgwadmin.Known{ZoneGroupID: "x"})), "ZoneGroupReplaced"},
		"another_zone":                  {zoneOf("paris", parisURL, replaced(rgwadmin.Known{ZoneID: "x"})), "ZoneReplaced"},
		"a_zone_of_another_cluster":     {zoneOf("rome", romeURL), "ZoneElsewhere"},
		"removal_of_another_realm":      {zoneOf("paris", parisURL, removing(rgwadmin.RemoveZone), replaced(rgwadmin.Known{RealmID: "x"})), "RealmReplaced"},
		"removal_of_another_zone":       {zoneOf("paris", parisURL, removing(rgwadmin.RemoveZone), replaced(rgwadmin.Known{ZoneID: "x"})), "ZoneReplaced"},
		"removal_of_another_group":      {zoneOf("paris", parisURL, removing(rgwadmin.RemoveZoneGroup), replaced(rgwadmin.Known{ZoneGroupID: "x"})), "ZoneGroupReplaced"},
		"removal_of_the_master":         {zoneOf("paris", parisURL, removing(rgwadmin.RemoveZone)), "MasterZone"},
		"removal_of_a_group_with_zones": {zoneOf("paris", parisURL, removing(rgwadmin.RemoveZoneGroup)), "ZoneGroupInUse"},
		"removal_of_a_realm_with_zones": {zoneOf("paris", parisURL, removing(rgwadmin.RemoveRealm)), "RealmInUse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paris, _ := realm(t)
			paris.Ran()
			got := apply(t, paris, test.wanted)
			if got.Outcome != rgwadmin.Refused || got.Reason != test.reason || got.Changed || len(paris.Ran()) > 0 {
				t.Errorf("got %+v, want %s", got, test.reason)
			}
		})
	}
}

func TestKeysThatCannotBeReadOrUsedFail(t *testing.T) {
	t.Parallel()
	lost := ownStore(func(w *rgwadmin.Wanted) { w.Users[0].Keys.Secret = "lost" })
	if got := apply(t, sitetest.New(t, parisURL), lost); got.Outcome != rgwadmin.Failed || !strings.Contains(got.Message, "Secret lost") {
		t.Errorf("got %+v", got)
	}
	odd := func(rgwadmin.KeyRef) (string, string, error) { return "A", "with space", nil }
	got := rgwadmin.Concluded(rgwadmin.Apply(t.Context(), sitetest.New(t, parisURL), odd, ownStore()))
	if got.Outcome != rgwadmin.Refused || got.Reason != "InvalidKeys" || strings.Contains(got.Message, "with space") {
		t.Errorf("got %+v", got)
	}
	paris, _ := realm(t)
	wrong := zoneOf("bonn", "http://bonn:80", pulled, func(w *rgwadmin.Wanted) { w.Realm.PullKeys = &rgwadmin.KeyRef{Secret: "other"} })
	if got := apply(t, paris.Beside("http://bonn:80"), wrong); got.Outcome != rgwadmin.Failed || got.Reason != "Denied" {
		t.Errorf("got %+v", got)
	}
}

// TestACrashAtAnyChangeIsMended lets each command that changes something fail once,
// before and after it took effect.
func TestACrashAtAnyChangeIsMended(t *testing.T) {
	t.Parallel()
	lives := []rgwadmin.Wanted{
		zoneOf("rome", romeURL, pulled), zoneOf("rome", "http://rome:81", pulled),
		zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveZone)),
		zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveZoneGroup)),
		zoneOf("rome", romeURL, pulled, removing(rgwadmin.RemoveRealm)),
	}
	for _, after := range []bool{false, true} {
		crashes := 0
		for number := 1; ; number++ {
			paris := sitetest.New(t, parisURL)
			applied(t, paris, zoneOf("paris", parisURL))
			rome, crashed := paris.Beside(romeURL), false
			rome.FailAt(number, after)
			for _, wanted := range lives {
				if got := apply(t, rome, wanted); got.Outcome != rgwadmin.Applied {
					crashed = true
					applied(t, rome, wanted)
				}
			}
			if left := rome.Names(); len(left) > 0 || !slices.Equal(zonesIn(paris), []string{"paris"}) {
				t.Errorf("crash at change %d (after %t): left %v, zones %v", number, after, left, zonesIn(paris))
			}
			if !crashed {
				break
			}
			crashes++
		}
		if crashes < 8 {
			t.Errorf("only %d changes were tried", crashes)
		}
	}
}
