package setup_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/sitetest"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// at has Jobs run a fake radosgw-admin with the keys of the Secrets.
func (w *world) at(site *sitetest.Site) {
	keys := func(ref rgwadmin.KeyRef) (accessKey, secretKey string, err error) {
		secret := w.secret(ref.Secret)
		return string(secret.Data[ref.AccessKey]), string(secret.Data[ref.SecretKey]), nil
	}
	w.job = func(wanted rgwadmin.Wanted) rgwadmin.Result {
		return rgwadmin.Concluded(rgwadmin.Apply(w.t.Context(), site, keys, wanted))
	}
}

func someLife() (realm *api.CephObjectRealm, group *api.CephObjectZoneGroup, zone *api.CephObjectZone) {
	return someRealm(), someGroup(), someZone(func(z *api.CephObjectZone) {
		z.Spec.CustomEndpoints, z.Spec.PreservePoolsOnDelete = []string{"http://paris:80"}, ptr.To(false)
	})
}

// crash lets the service crash at a write of what follows, and tells whether it did.
func (w *world) crash(at int, after bool) bool {
	w.writes, w.crashAt, w.after = 0, at, after
	for range 60 {
		if err := w.pass(); err != nil {
			break
		}
		w.play()
	}
	crashed := w.writes >= at
	w.crashAt = 0
	w.restart()
	w.settle()
	return crashed
}

func TestACrashAtEveryWriteOfARealmIsMended(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for number := 1; number < 90; number += testenv.Stride(4) {
			realm, group, zone := someLife()
			w, site := newWorld(t, realm, group, zone), sitetest.New(t, "http://paris:80")
			w.at(site)
			crashed := w.crash(number, after)
			if c := w.is(zone, api.ConditionReady); c.Status != metav1.ConditionTrue {
				t.Fatalf("crash at write %d (after %t): %+v", number, after, c)
			}
			keys := site.Zone("paris")["system_key"].(map[string]any)
			if keys["secret_key"] != string(w.secret("earth-keys").Data["secret-key"]) || w.multisite(zone).Setup.ZoneID != site.Zone("paris")["id"] {
				t.Fatalf("crash at write %d (after %t): zone %v has the keys of nobody", number, after, site.Zone("paris")["id"])
			}
			if !crashed {
				break
			}
		}
	}
}

func TestACrashAtEveryWriteOfTheEndOfARealmEndsIt(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for number := 1; number < 90; number += testenv.Stride(4) {
			realm, group, zone := someLife()
			w, site := newWorld(t, realm, group, zone), sitetest.New(t, "http://paris:80")
			w.at(site)
			w.settle()
			for _, one := range []client.Object{realm, group, zone} {
				w.remove(one)
			}
			crashed := w.crash(number, after)
			if left := slices.DeleteFunc(site.Names(), func(name string) bool { return strings.HasPrefix(name, "user ") }); len(left) > 0 || len(w.pools()) > 0 ||
				w.multisite(realm) != nil {
				t.Fatalf("crash at write %d (after %t): %v and pools %v are left", number, after, left, w.pools())
			}
			if !crashed {
				break
			}
		}
	}
}

func TestASecondClusterJoinsARealmAndLeavesIt(t *testing.T) {
	realm, group, zone := someLife()
	here := newWorld(t, realm, group, zone)
	site := sitetest.New(t, "http://paris:80")
	here.at(site)
	here.settle()

	realm, group, zone = someLife()
	pulled(realm)
	realm.Spec.Pull.Endpoint = "http://paris:80"
	zone.Name, zone.Spec.CustomEndpoints = "rome", []string{"http://rome:80"}
	there, far := newWorld(t, realm, group, zone, here.secret("earth-keys").DeepCopy()), site.Beside("http://rome:80")
	there.at(far)
	there.settle()
	if c := there.is(zone, api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Fatalf("Ready: %+v", c)
	}
	zones, _ := site.ZoneGroup("europe")["zones"].([]any)
	if len(zones) != 2 || site.Zone("rome") != nil {
		t.Errorf("the first cluster knows of zones %v", zones)
	}
	there.quiet(1)
	for _, one := range []client.Object{realm, group, zone} {
		there.remove(one)
	}
	there.settle()
	zones, _ = site.ZoneGroup("europe")["zones"].([]any)
	if left := far.Names(); len(left) > 0 || len(zones) != 1 || there.multisite(realm) != nil {
		t.Errorf("%v is left, and the first cluster knows of zones %v", left, zones)
	}
	if there.secret("earth-keys") == nil {
		t.Error("keys that a person provided are gone")
	}
}
