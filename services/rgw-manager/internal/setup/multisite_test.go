package setup_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

func someRealm(edit ...func(*api.CephObjectRealm)) *api.CephObjectRealm {
	realm := &api.CephObjectRealm{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "earth", UID: "r1", Generation: 1}}
	for _, e := range edit {
		e(realm)
	}
	return realm
}

func pulled(realm *api.CephObjectRealm) {
	realm.Spec.Pull = &api.PullSpec{Endpoint: "http://far:80"}
}

func someGroup() *api.CephObjectZoneGroup {
	return &api.CephObjectZoneGroup{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "europe", UID: "g1", Generation: 1},
		Spec: api.ObjectZoneGroupSpec{Realm: "earth"}}
}

func someZone(edit ...func(*api.CephObjectZone)) *api.CephObjectZone {
	replicated := api.PoolSpec{Replicated: api.ReplicatedSpec{Size: 3}}
	zone := &api.CephObjectZone{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "paris", UID: "z1", Generation: 1},
		Spec: api.ObjectZoneSpec{ZoneGroup: "europe", MetadataPool: replicated.DeepCopy(), DataPool: replicated.DeepCopy()}}
	for _, e := range edit {
		e(zone)
	}
	return zone
}

func inZone(store *api.CephObjectStore) {
	store.Spec.MetadataPool, store.Spec.DataPool = nil, nil
	store.Spec.Zone = &api.ZoneSpec{Name: "paris"}
}

func realmKeys() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "earth-keys"},
		Data: map[string][]byte{"access-key": []byte("A"), "secret-key": []byte("S")}}
}

// multisite is the status of a realm, zone group or zone; nil when that is gone.
func (w *world) multisite(obj client.Object) *api.ObjectMultisiteStatus {
	w.t.Helper()
	err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(obj), obj)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	var status *api.ObjectMultisiteStatus
	switch obj := obj.(type) {
	case *api.CephObjectRealm:
		status = obj.Status
	case *api.CephObjectZoneGroup:
		status = obj.Status
	case *api.CephObjectZone:
		status = obj.Status
	}
	if status == nil {
		w.t.Fatalf("no status of %s", obj.GetName())
	}
	return status
}

// is is one condition of a realm, zone group or zone.
func (w *world) is(obj client.Object, typ string) api.Condition {
	w.t.Helper()
	status := w.multisite(obj)
	if status == nil {
		w.t.Fatalf("%s is gone", obj.GetName())
	}
	return ptr.Deref(condition.Find(status.Conditions, typ), api.Condition{})
}

func (w *world) secret(name string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{}
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	return secret
}

func TestARealmItsZoneGroupAndZoneAreMadeInOrderAndThenAllIsQuiet(t *testing.T) {
	realm, group, zone := someRealm(func(r *api.CephObjectRealm) { r.Spec.DefaultRealm = true }), someGroup(), someZone()
	w := newWorld(t, zone, group, realm)
	w.settle()
	for _, one := range []client.Object{realm, group, zone} {
		if c := w.is(one, api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
			t.Errorf("%s: %+v", one.GetName(), c)
		}
		if status := w.multisite(one); status.Phase != api.PhaseReady || status.Setup.RealmID != "id-earth" {
			t.Errorf("%s: %+v", one.GetName(), status)
		}
	}
	keys := w.secret("earth-keys")
	if len(keys.Data["access-key"]) != 20 || len(keys.Data["secret-key"]) != 40 || !metav1.IsControlledBy(keys, realm) {
		t.Errorf("keys: %+v", keys.ObjectMeta)
	}
	ref := rgwadmin.KeyRef{Secret: "earth-keys", AccessKey: "access-key", SecretKey: "secret-key"}
	want := []rgwadmin.Wanted{
		{Realm: rgwadmin.Realm{Name: "earth", Default: true}},
		{Realm: rgwadmin.Realm{Name: "earth", Required: true}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "europe"}},
		{
			Realm: rgwadmin.Realm{Name: "earth", Required: true}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "europe", Required: true},
			Zone:  &rgwadmin.Zone{Name: "paris", SystemKeys: &ref},
			Users: []rgwadmin.User{{ID: "earth-system-user", DisplayName: "earth-system-user", System: true, Keys: ref}},
			Keys:  rgwadmin.Fingerprint(string(keys.Data["access-key"]), string(keys.Data["secret-key"])),
		},
	}
	for i := range w.wishes {
		w.wishes[i].Keys = map[bool]string{true: w.wishes[i].Keys}[w.wishes[i].Zone != nil]
	}
	if diff := cmp.Diff(want, w.wishes); diff != "" {
		t.Errorf("Jobs (-want +got):\n%s", diff)
	}
	if !slices.Contains(w.pools(), "paris.rgw.buckets.data") || !slices.Contains(w.pools(), ".rgw.root") {
		t.Errorf("pools: %v", w.pools())
	}
	w.quiet(1)
}

func TestAStoreServesAZoneOnceThatIsReady(t *testing.T) {
	store := someStore("shop", inZone)
	w := newWorld(t, store, someGroup(), someRealm())
	w.settle()
	if c := w.condition("shop", api.ConditionReady); c.Reason != api.ReasonParentMissing {
		t.Errorf("without a zone: %+v", c)
	}
	w.create(someZone())
	w.settle()
	if c := w.condition("shop", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("with a zone: %+v", c)
	}
	w.quiet(2)
}

func TestAZoneGroupAndAZoneSayWhatTheyWaitFor(t *testing.T) {
	group, zone := someGroup(), someZone()
	w := newWorld(t, zone)
	w.settle()
	if c := w.is(zone, api.ConditionReady); c.Reason != api.ReasonParentMissing || c.Message != "Waiting for CephObjectZoneGroup 'europe', which does not exist" {
		t.Errorf("zone: %+v", c)
	}
	w.create(group)
	w.settle()
	if c := w.is(group, api.ConditionReady); c.Reason != api.ReasonParentMissing || !strings.Contains(c.Message, "CephObjectRealm 'earth'") {
		t.Errorf("zone group: %+v", c)
	}
	if c := w.is(zone, api.ConditionReady); c.Reason != api.ReasonParentNotReady || c.Message != "Waiting for CephObjectZoneGroup europe to be ready" {
		t.Errorf("zone: %+v", c)
	}
	if len(w.wishes) != 0 || len(w.pools()) != 0 {
		t.Errorf("%d Jobs, pools %v", len(w.wishes), w.pools())
	}
}

func TestARealmWaitsForTheOSDs(t *testing.T) {
	realm := someRealm()
	w := newWorld(t, realm)
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	if c := w.is(realm, api.ConditionReady); c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, "Waiting for osd-manager") || len(w.wishes) != 0 {
		t.Errorf("Ready: %+v", c)
	}
}

func TestAPulledRealmNeedsKeysFromItsOrigin(t *testing.T) {
	realm := someRealm(pulled)
	w := newWorld(t, realm)
	w.settle()
	if c := w.is(realm, api.ConditionReady); c.Reason != api.ReasonSecretMissing || c.Message != "Waiting for Secret earth-keys" {
		t.Errorf("without keys: %+v", c)
	}
	if w.secret("earth-keys") != nil {
		t.Error("keys were drawn for a realm that has some elsewhere")
	}
	w.create(realmKeys())
	w.settle()
	if c := w.is(realm, api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("with keys: %+v", c)
	}
	want := rgwadmin.Realm{Name: "earth", Pull: "http://far:80", PullKeys: &rgwadmin.KeyRef{Secret: "earth-keys", AccessKey: "access-key", SecretKey: "secret-key"}}
	if diff := cmp.Diff(want, w.wishes[0].Realm); diff != "" {
		t.Errorf("Job (-want +got):\n%s", diff)
	}
}

func TestKeysThatAreThereStayAndHalfOfThemIsRefused(t *testing.T) {
	realm, given := someRealm(), realmKeys()
	delete(given.Data, "secret-key")
	w := newWorld(t, realm, given)
	w.settle()
	if c := w.is(realm, api.ConditionReady); c.Reason != api.ReasonSecretInvalid || len(w.wishes) != 0 {
		t.Errorf("with half of the keys: %+v", c)
	}
	w.change(given, func() { given.Data["secret-key"] = []byte("S") })
	w.settle()
	if c := w.is(realm, api.ConditionReady); c.Status != metav1.ConditionTrue || string(w.secret("earth-keys").Data["access-key"]) != "A" {
		t.Errorf("with both: %+v", c)
	}
}

func TestARefusalOfCephIsToldOnceAndNotTriedAgainAtOnce(t *testing.T) {
	realm := someRealm(pulled)
	w := newWorld(t, realm, realmKeys())
	w.job = refused("RealmExists", "a realm earth exists")
	w.settle()
	if c := w.is(realm, api.ConditionStalled); c.Status != metav1.ConditionTrue || c.Reason != "RealmExists" || c.Message != "a realm earth exists" {
		t.Errorf("Stalled: %+v", c)
	}
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "Warning RealmExists a realm earth exists") {
		t.Errorf("events: %v", told)
	}
	if len(w.wishes) != 1 || w.multisite(realm).Setup != nil || w.multisite(realm).Phase != api.PhaseFailure {
		t.Errorf("%d Jobs, status %+v", len(w.wishes), w.multisite(realm))
	}
}

func TestNewKeysOfARealmAreGivenToItsZone(t *testing.T) {
	keys := realmKeys()
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone, keys)
	w.settle()
	before := w.multisite(zone).Setup
	w.change(keys, func() { keys.Data["secret-key"] = []byte("T") })
	w.settle()
	last := w.wishes[len(w.wishes)-1]
	if last.Zone == nil || last.Keys != rgwadmin.Fingerprint("A", "T") || last.Known.ZoneID != "id-paris" || before.Hash == w.multisite(zone).Setup.Hash {
		t.Errorf("the last Job wants %+v", last)
	}
}

func TestAZoneWithoutPoolsIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for name, edit := range map[string]func(*api.CephObjectZone){
		"none": func(z *api.CephObjectZone) { z.Spec.MetadataPool, z.Spec.DataPool = nil, nil },
		"no_default": func(z *api.CephObjectZone) {
			z.Spec.MetadataPool, z.Spec.DataPool = nil, nil
			z.Spec.SharedPools = &api.ObjectSharedPoolsSpec{PoolPlacements: []api.PoolPlacementSpec{{Name: "fast", MetadataPoolName: "m", DataPoolName: "d"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			zone := someZone(edit)
			w := newWorld(t, someRealm(), someGroup(), zone)
			w.settle()
			if c := w.is(zone, api.ConditionStalled); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonInvalidSpec {
				t.Errorf("Stalled: %+v", c)
			}
			if len(w.wishes) != 2 || !slices.Equal(w.pools(), []string{".rgw.root"}) {
				t.Errorf("%d Jobs, pools %v", len(w.wishes), w.pools())
			}
		})
	}
}

func TestAZoneRefusesPoolsOfAnotherApplication(t *testing.T) {
	zone := someZone()
	w := newWorld(t, someRealm(), someGroup(), zone)
	w.addPool("paris.rgw.buckets.data", "rbd")
	w.settle()
	if c := w.is(zone, api.ConditionStalled); c.Reason != api.ReasonNameTaken || !strings.Contains(c.Message, "application 'rbd'") {
		t.Errorf("Stalled: %+v", c)
	}
	if slices.Contains(w.pools(), "paris.rgw.meta") {
		t.Error("other pools were made")
	}
}

func TestTheNameOfAStoreIsNoNameForARealmOrZone(t *testing.T) {
	w := newWorld(t, someStore("earth"), someStore("paris"))
	w.settle()
	realm, zone := someRealm(), someZone()
	w.create(realm)
	w.create(zone)
	w.settle()
	for _, one := range []client.Object{realm, zone} {
		if c := w.is(one, api.ConditionStalled); c.Reason != api.ReasonNameTaken {
			t.Errorf("%s: %+v", one.GetName(), c)
		}
	}
	for _, name := range []string{"earth", "paris"} {
		if c := w.condition(name, api.ConditionReady); c.Status != metav1.ConditionTrue {
			t.Errorf("store %s: %+v", name, c)
		}
	}
}

func TestAllOfARealmGoesFromTheInsideOut(t *testing.T) {
	realm, group, zone, store := someRealm(), someGroup(), someZone(), someStore("shop", inZone)
	w := newWorld(t, realm, group, zone, store)
	w.settle()
	w.told()
	w.remove(realm)
	w.remove(group)
	w.remove(zone)
	w.settle()
	for _, test := range []struct {
		obj  client.Object
		what string
	}{{realm, "CephObjectZoneGroup europe"}, {group, "CephObjectZone paris"}, {zone, "CephObjectStore shop"}} {
		c := w.is(test.obj, api.ConditionDeletionIsBlocked)
		if c.Status != metav1.ConditionTrue || c.Reason != api.ReasonDependents || c.Message != "Still there: "+test.what+"; delete them first" {
			t.Errorf("%s: %+v", test.obj.GetName(), c)
		}
	}
	if told := w.told(); len(told) != 3 {
		t.Errorf("events: %v", told)
	}
	w.wishes = nil
	w.remove(store)
	w.settle()
	var removed []rgwadmin.Removal
	for _, wanted := range w.wishes {
		removed = append(removed, wanted.Remove)
	}
	if diff := cmp.Diff([]rgwadmin.Removal{rgwadmin.RemoveZone, rgwadmin.RemoveZoneGroup, rgwadmin.RemoveRealm}, removed); diff != "" {
		t.Errorf("Jobs (-want +got):\n%s", diff)
	}
	for _, one := range []client.Object{realm, group, zone} {
		if w.multisite(one) != nil {
			t.Errorf("%s is still there", one.GetName())
		}
	}
	if !slices.Contains(w.pools(), "paris.rgw.buckets.data") {
		t.Error("the pools did not outlive the zone")
	}
}

func TestPoolsGoWithAZoneOnlyIfItsSpecSaysSo(t *testing.T) {
	realm, group, zone := someRealm(), someGroup(), someZone(func(z *api.CephObjectZone) { z.Spec.PreservePoolsOnDelete = ptr.To(false) })
	w := newWorld(t, realm, group, zone)
	w.settle()
	w.remove(zone)
	w.settle()
	if w.multisite(zone) != nil || !slices.Equal(w.pools(), []string{".rgw.root"}) {
		t.Errorf("pools: %v", w.pools())
	}
	w.remove(group)
	w.remove(realm)
	w.settle()
	if w.multisite(realm) != nil || len(w.pools()) != 0 {
		t.Errorf("pools after the realm: %v", w.pools())
	}
}

func TestARealmOutlivesTheLastStoreBesideIt(t *testing.T) {
	realm, store := someRealm(), someStore("my-store")
	w := newWorld(t, realm, store)
	w.settle()
	w.remove(store)
	w.settle()
	if w.store("my-store") != nil || !slices.Equal(w.pools(), []string{".rgw.root"}) {
		t.Errorf("pools: %v", w.pools())
	}
	other := someRealm(func(r *api.CephObjectRealm) { r.Name, r.UID = "mars", "r2" })
	w.create(other)
	w.settle()
	w.remove(realm)
	w.settle()
	if w.multisite(realm) != nil || !slices.Equal(w.pools(), []string{".rgw.root"}) {
		t.Errorf("pools of the other realm: %v", w.pools())
	}
}

func TestPoolsOfAZoneThatWasNeverSetUpGoOnlyIfEmpty(t *testing.T) {
	zone := someZone(func(z *api.CephObjectZone) { z.Spec.PreservePoolsOnDelete = ptr.To(false) })
	w := newWorld(t, someRealm(), someGroup(), zone)
	w.job = func(wanted rgwadmin.Wanted) rgwadmin.Result {
		if wanted.Zone != nil {
			return refused("ZoneOfOtherRealm", "it is another's")(wanted)
		}
		return applied(wanted)
	}
	w.settle()
	w.answers["df"] = func(answer []byte) []byte {
		return []byte(strings.ReplaceAll(string(answer), `"objects":0`, `"objects":1`))
	}
	jobs := len(w.wishes)
	w.remove(zone)
	w.settle()
	if c := w.is(zone, api.ConditionDeletionIsBlocked); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonPoolNotEmpty {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	if len(w.wishes) != jobs || !slices.Contains(w.pools(), "paris.rgw.buckets.data") {
		t.Errorf("%d Jobs more, pools %v", len(w.wishes)-jobs, w.pools())
	}
	delete(w.answers, "df")
	w.settle()
	if w.multisite(zone) != nil || slices.Contains(w.pools(), "paris.rgw.buckets.data") {
		t.Error("the zone is still there")
	}
}

func TestAMasterZoneThatOthersFollowStaysWithItsPools(t *testing.T) {
	zone := someZone(func(z *api.CephObjectZone) { z.Spec.PreservePoolsOnDelete = ptr.To(false) })
	w := newWorld(t, someRealm(), someGroup(), zone)
	w.settle()
	w.job = refused("MasterZone", "zone paris is the master of the zones rome")
	w.remove(zone)
	w.settle()
	if c := w.is(zone, api.ConditionDeletionIsBlocked); c.Status != metav1.ConditionTrue || c.Reason != "MasterZone" || !strings.Contains(c.Message, "rome") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	if !slices.Contains(w.pools(), "paris.rgw.buckets.data") {
		t.Error("the pools are gone")
	}
}

func TestAZoneThatIsGoneBeforeItsPoolsIsNotMadeAnew(t *testing.T) {
	zone := someZone(func(z *api.CephObjectZone) { z.Spec.PreservePoolsOnDelete = ptr.To(false) })
	w := newWorld(t, someRealm(), someGroup(), zone)
	w.settle()
	w.remove(zone)
	w.wishes = nil
	for crash := 1; crash < 12 && w.multisite(zone) != nil; crash++ {
		w.writes, w.crashAt, w.after = 0, crash, crash%2 == 0
		for range 4 {
			_ = w.pass()
			w.play()
		}
		w.crashAt = 0
		w.restart()
	}
	w.settle()
	if w.multisite(zone) != nil || !slices.Equal(w.pools(), []string{".rgw.root"}) {
		t.Errorf("pools %v are left", w.pools())
	}
	for _, wanted := range w.wishes {
		if wanted.Remove != rgwadmin.RemoveZone {
			t.Errorf("a Job wanted %+v", wanted)
		}
	}
}

func TestAZoneOfAZoneGroupThatIsLostIsKept(t *testing.T) {
	zone, group := someZone(), someGroup()
	w := newWorld(t, someRealm(), group, zone)
	w.settle()
	w.remove(zone)
	w.change(group, func() { group.Finalizers = nil })
	w.remove(group)
	w.settle()
	if c := w.is(zone, api.ConditionDeletionIsBlocked); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonParentMissing {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
}

func TestARealmWhoseClusterIsGoneGoesAtOnce(t *testing.T) {
	realm := someRealm()
	w := newWorld(t, realm)
	w.settle()
	cluster := w.cluster()
	w.change(cluster, func() { cluster.Finalizers = nil })
	w.remove(cluster)
	w.wishes = nil
	w.remove(realm)
	w.settle()
	if w.multisite(realm) != nil || len(w.wishes) != 0 {
		t.Error("it waits for a cluster that is gone")
	}
}
