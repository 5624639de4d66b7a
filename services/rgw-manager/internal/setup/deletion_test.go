package setup_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/store"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestAnEmptyStoreGoesWithAllThatIsItsOwn(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.DataPool = &api.PoolSpec{FailureDomain: "osd", ErasureCoded: api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}}
	})
	w := newWorld(t, s)
	w.settle()
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil {
		t.Fatalf("the object is still there: %+v", w.condition("my-store", api.ConditionReady))
	}
	if left := w.pools(); len(left) != 0 {
		t.Errorf("pools %v are left", left)
	}
	rules, err := w.ceph.Client().CrushRuleDump(t.Context())
	w.check(err)
	for _, rule := range rules {
		if strings.HasPrefix(rule.Name, "my-store") {
			t.Errorf("rule %s is left", rule.Name)
		}
	}
	if _, left := w.ceph.User("client.rgw.my-store.a"); left {
		t.Error("the key is left")
	}
	if _, left := w.ceph.Option("client.rgw.my-store.a", "rgw_zone"); left {
		t.Error("options are left")
	}
	if last := w.realm.wishes[len(w.realm.wishes)-1]; !last.Gone || !last.Own {
		t.Errorf("the last wish is %+v", last)
	}
	if w.deployment("my-store") != nil {
		t.Error("gateways are left")
	}
	var secrets corev1.SecretList
	w.check(w.kube.List(t.Context(), &secrets, client.MatchingLabels{"app": "rook-ceph-rgw"}))
	for _, secret := range secrets.Items {
		if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].Name != "my-store" {
			t.Errorf("Secret %s does not go with the store", secret.Name)
		}
	}
}

func TestAStoreWithBucketsStaysAndNamesThem(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.gates.buckets["my-store"] = []string{"photos", "logs"}
	w.ceph.ForgetCommands()
	w.told()
	w.remove(s)
	w.settle()
	blocked := w.condition("my-store", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || blocked.Reason != api.ReasonBucketsExist || !strings.Contains(blocked.Message, "bucket logs, bucket photos") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	if w.ceph.Writes() != 0 || w.running["my-store"] == "" || len(w.realm.wishes) != 1 {
		t.Errorf("Ceph was sent %d writes, %d setups were made", w.ceph.Writes(), len(w.realm.wishes))
	}
	if told := w.told(); len(told) != 1 {
		t.Errorf("events: %v", told)
	}
	delete(w.gates.buckets, "my-store")
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Error("the store is still there")
	}
}

func TestAStoreWaitsForItsUsersInAllNamespaces(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) { s.Spec.AllowUsersInNamespaces = []string{"app"} })
	here := &api.CephObjectStoreUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "here"}, Spec: api.ObjectStoreUserSpec{Store: "my-store"}}
	there := &api.CephObjectStoreUser{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "there"},
		Spec: api.ObjectStoreUserSpec{Store: "my-store", ClusterNamespace: namespace}}
	other := &api.CephObjectStoreUser{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "other"}, Spec: api.ObjectStoreUserSpec{Store: "my-store"}}
	intruder := &api.CephObjectStoreUser{ObjectMeta: metav1.ObjectMeta{Namespace: "alley", Name: "intruder"},
		Spec: api.ObjectStoreUserSpec{Store: "my-store", ClusterNamespace: namespace}}
	w := newWorld(t, s, here, there, other, intruder)
	w.settle()
	w.gates.buckets["my-store"] = []string{"photos"}
	w.remove(s)
	w.settle()
	blocked := w.condition("my-store", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "CephObjectStoreUser app/there, CephObjectStoreUser here, bucket photos;") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	delete(w.gates.buckets, "my-store")
	w.remove(here)
	w.remove(there)
	w.settle()
	if w.store("my-store") != nil {
		t.Error("the store is still there")
	}
}

func TestABucketMadeDuringTheLastLookKeepsAStore(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.remove(s)
	w.check(w.pass())
	if c := w.condition("my-store", api.ConditionDeletionIsBlocked); c.Reason != "NoBuckets" || w.deployment("my-store") == nil {
		t.Fatalf("after the first look: %+v", c)
	}
	w.gates.buckets["my-store"] = []string{"late"}
	w.settle()
	if c := w.condition("my-store", api.ConditionDeletionIsBlocked); c.Status != metav1.ConditionTrue || !strings.Contains(c.Message, "bucket late") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	if w.deployment("my-store") == nil {
		t.Error("the gateways were ended")
	}
}

// TestABucketMadeWhileTheGatewaysEndKeepsAStore has one appear after the last look at
// the gateways: the Job that would remove the realm sees it, and they serve again.
func TestABucketMadeWhileTheGatewaysEndKeepsAStore(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.realm.late = "late"
	w.ceph.ForgetCommands()
	w.told()
	w.remove(s)
	for w.deployment("my-store") != nil {
		w.check(w.pass())
	}
	w.play()
	w.check(w.pass())
	blocked := w.condition("my-store", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || blocked.Reason != api.ReasonBucketsExist || !strings.Contains(blocked.Message, "late") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	w.gates.buckets["my-store"] = []string{"late"}
	w.settle()
	if blocked = w.condition("my-store", api.ConditionDeletionIsBlocked); !strings.Contains(blocked.Message, "bucket late") || w.running["my-store"] == "" {
		t.Errorf("the gateways do not serve again: %+v", blocked)
	}
	if w.ceph.Writes() != 0 || len(w.pools()) != len(poolsOfMyStore) {
		t.Errorf("Ceph was sent %d writes", w.ceph.Writes())
	}
	w.realm.late = ""
	delete(w.gates.buckets, "my-store")
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

// TestNothingIsRemovedWhileAGatewayEnds has a pod outlive its Deployment.
func TestNothingIsRemovedWhileAGatewayEnds(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "last", Labels: w.deployment("my-store").Spec.Selector.MatchLabels}}
	w.create(pod)
	w.ceph.ForgetCommands()
	w.remove(s)
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); !strings.Contains(c.Message, "gateway last") || w.deployment("my-store") != nil {
		t.Errorf("Ready: %+v", c)
	}
	if w.ceph.Writes() != 0 || len(w.realm.wishes) != 1 {
		t.Errorf("Ceph was sent %d writes, %d setups were made", w.ceph.Writes(), len(w.realm.wishes))
	}
	w.remove(pod)
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestAStoreThatNobodyCanAskIsOnlyRemovedWhenItsPoolsAreEmpty(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.answers["df"] = func(answer []byte) []byte {
		return bytes.ReplaceAll(answer, []byte(`"objects":0`), []byte(`"objects":1`))
	}
	w.gates.mute = true
	w.ceph.ForgetCommands()
	w.remove(s)
	w.settle()
	blocked := w.condition("my-store", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || blocked.Reason != api.ReasonGatewayUnreachable || !strings.Contains(blocked.Message, "is not empty") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	if w.ceph.Writes() != 0 || len(w.pools()) != len(poolsOfMyStore) {
		t.Errorf("Ceph was sent %d writes", w.ceph.Writes())
	}
	delete(w.answers, "df")
	w.answers["status"] = func(answer []byte) []byte {
		return bytes.Replace(answer, []byte(`"active+clean"`), []byte(`"unknown"`), 1)
	}
	w.settle()
	if c := w.condition("my-store", api.ConditionDeletionIsBlocked); !strings.Contains(c.Message, "does not know yet") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	delete(w.answers, "status")
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

// TestAStoreWithoutGatewaysGetsThemBackToBeAsked has somebody take the Deployment of a
// store that is to go.
func TestAStoreWithoutGatewaysGetsThemBackToBeAsked(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.answers["df"] = func(answer []byte) []byte {
		return bytes.ReplaceAll(answer, []byte(`"objects":0`), []byte(`"objects":1`))
	}
	w.gates.buckets["my-store"] = []string{"photos"}
	w.remove(w.deployment("my-store"))
	w.play()
	w.remove(s)
	w.settle()
	blocked := w.condition("my-store", api.ConditionDeletionIsBlocked)
	if blocked.Reason != api.ReasonBucketsExist || !strings.Contains(blocked.Message, "bucket photos") || w.running["my-store"] == "" {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	// What a gateway has named is there until one says otherwise.
	delete(w.answers, "df")
	w.gates.mute = true
	w.settle()
	if c := w.condition("my-store", api.ConditionDeletionIsBlocked); c.Reason != api.ReasonBucketsExist || w.store("my-store") == nil {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	w.gates.mute = false
	delete(w.gates.buckets, "my-store")
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestAStoreThatNeverCameToBeGoesWithItsPools(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestPreservedPoolsStayWithAllThatIsInsideAndAreTakenOver(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) { s.Spec.PreservePoolsOnDelete = true })
	w := newWorld(t, s)
	w.settle()
	w.gates.buckets["my-store"] = []string{"photos"}
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil || w.deployment("my-store") != nil {
		t.Fatal("the object or its gateways are still there")
	}
	if diff := cmp.Diff(poolsOfMyStore, w.pools()); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(w.realm.wishes, func(one store.Wish) bool { return one.Gone }) {
		t.Error("the realm was removed although the pools were to stay")
	}
	w.check(w.kube.Create(t.Context(), someStore("my-store", func(s *api.CephObjectStore) { s.UID = "s-2" })))
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready: %+v", c)
	}
}

func TestTheLastStoreTakesThePoolOfAllZonesWithIt(t *testing.T) {
	one, other := someStore("my-store"), someStore("other", func(s *api.CephObjectStore) { s.Spec.Gateway.Port = 81 })
	w := newWorld(t, one, other)
	w.settle()
	w.quiet(2)
	w.remove(one)
	w.settle()
	if left := w.pools(); !slices.Contains(left, ".rgw.root") || slices.Contains(left, "my-store.rgw.meta") || !slices.Contains(left, "other.rgw.meta") {
		t.Errorf("pools %v", left)
	}
	w.remove(other)
	w.settle()
	if left := w.pools(); len(left) != 0 {
		t.Errorf("pools %v are left", left)
	}
}

// ahead reads objects that have been edited since the cache saw them.
type ahead struct{ client.Reader }

// Get reads an object.
func (a ahead) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	err := a.Reader.Get(ctx, key, obj, opts...)
	if _, is := obj.(*api.CephObjectStore); is {
		obj.SetGeneration(obj.GetGeneration() + 1)
	}
	return err
}

func TestPoolsAreOnlyDeletedForTheNewestSpec(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.remove(s)
	w.live = ahead{w.kube}
	w.restart()
	w.settle()
	if w.store("my-store") == nil || len(w.pools()) != len(poolsOfMyStore) || w.deployment("my-store") == nil {
		t.Errorf("pools %v, although the object has changed", w.pools())
	}
	w.live = w.kube
	w.restart()
	w.settle()
	if w.store("my-store") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestALostReplyAnywhereInADeletionLosesNothing(t *testing.T) {
	for _, prefix := range []string{"osd pool delete", "osd crush rule rm", "config rm", "auth rm"} {
		t.Run(prefix, func(t *testing.T) {
			s := someStore("my-store")
			w := newWorld(t, s)
			w.settle()
			w.remove(s)
			w.ceph.LoseReply(prefix)
			failed := false
			for range 20 {
				if err := w.pass(); err != nil {
					failed = true
					break
				}
				w.play()
			}
			if !failed {
				t.Fatal("the crash was not noticed")
			}
			w.restart()
			w.settle()
			if w.store("my-store") != nil || len(w.pools()) != 0 {
				t.Errorf("left: %v", w.pools())
			}
			for _, wish := range w.realm.wishes[2:] {
				t.Errorf("a Job ran after the realm had gone: %+v", wish)
			}
		})
	}
}

func TestACrashAtEveryWriteEndsInTheSameStore(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at < 60; at += testenv.Stride(4) {
			w := newWorld(t, someStore("my-store"))
			w.crashAt, w.after = at, after
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
			if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue || len(w.realm.wishes) != 1 {
				t.Fatalf("crash at write %d (after %t): %+v, %d setups", at, after, c, len(w.realm.wishes))
			}
			if !crashed {
				break
			}
		}
	}
}

func TestACrashAtEveryWriteOfADeletionEndsIt(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at < 60; at += testenv.Stride(4) {
			s := someStore("my-store")
			w := newWorld(t, s)
			w.settle()
			w.remove(s)
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
			if w.store("my-store") != nil || len(w.pools()) != 0 {
				t.Fatalf("crash at write %d (after %t): pools %v", at, after, w.pools())
			}
			if !crashed {
				break
			}
		}
	}
}

func TestAClusterWaitsForItsStores(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	cluster := w.cluster()
	if !slices.Contains(cluster.Finalizers, "ceph.rook.io/rgw-manager") {
		t.Fatalf("finalizers: %v", cluster.Finalizers)
	}
	w.remove(cluster)
	w.settle()
	w.cluster()
	w.remove(s)
	w.settle()
	if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the cluster is still there: %v (%v)", cluster.Finalizers, err)
	}
}

func TestWhatWasAskedOfAClusterThatNeverCameToBeGoes(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.report(func(s *api.ClusterStatus) { s.Connection = nil })
	w.settle()
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil {
		t.Error("the store is still there")
	}
}

func TestKeysAreDrawnOnceAndAreInNoMessage(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: namespace, Name: "rook-ceph-rgw-my-store-admin-ops"}
	w.check(w.kube.Get(t.Context(), key, secret))
	access, hidden := string(secret.Data["accessKey"]), string(secret.Data["secretKey"])
	if len(access) != 20 || len(hidden) != 40 {
		t.Fatalf("keys of %d and %d letters", len(access), len(hidden))
	}
	user, _ := w.ceph.User("client.rgw.my-store.a")
	for _, text := range append(w.told(), w.running["my-store"], w.deployment("my-store").String()) {
		for _, word := range []string{user.Secret, hidden, access} {
			if strings.Contains(text, word) {
				t.Errorf("a key is in %s", text)
			}
		}
	}
	w.change(s, func() { s.Spec.Gateway.PriorityClassName = "high" })
	w.restart()
	w.settle()
	w.check(w.kube.Get(t.Context(), key, secret))
	if string(secret.Data["accessKey"]) != access {
		t.Error("the keys were drawn anew")
	}
}

func TestASecondClusterOfANamespaceIsNotHeldAndNotAsked(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	second := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "a-second", CreationTimestamp: metav1.NewTime(w.clock.Now()),
		Finalizers: []string{names.Finalizer("rgw-manager"), "test/keep"}}}
	w.check(w.kube.Create(t.Context(), second)) // listed before the other
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("the store is %+v", c)
	}
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(second), second))
	if diff := cmp.Diff([]string{"test/keep"}, second.Finalizers); diff != "" || len(second.Status.Conditions) > 0 {
		t.Errorf("the second cluster has finalizers (-want +got):\n%s\nand conditions %+v", diff, second.Status.Conditions)
	}
}

// TestWhatWasRefusedForItsNameTakesNothingWithIt deletes an object whose name, and so
// whose pools, are those of another one.
func TestWhatWasRefusedForItsNameTakesNothingWithIt(t *testing.T) {
	paris := someZone(func(z *api.CephObjectZone) { z.Spec.PreservePoolsOnDelete = ptr.To(false) })
	t.Run("a_store", func(t *testing.T) {
		w := newWorld(t, someRealm(), someGroup(), paris.DeepCopy(), realmKeys())
		w.settle()
		refused := someStore("paris")
		w.create(refused)
		w.settle()
		if c := w.condition("paris", api.ConditionStalled); c.Reason != api.ReasonNameTaken {
			t.Fatalf("Stalled: %+v", c)
		}
		before := w.pools()
		w.ceph.ForgetCommands()
		w.remove(refused)
		w.settle()
		if w.store("paris") != nil || w.ceph.Writes() != 0 || !slices.Equal(w.pools(), before) {
			t.Errorf("pools %v are left of %v after %d writes", w.pools(), before, w.ceph.Writes())
		}
	})
	t.Run("a_zone", func(t *testing.T) {
		store := someStore("paris", func(s *api.CephObjectStore) { s.UID = "s-1" })
		w := newWorld(t, store)
		w.settle()
		for _, obj := range []client.Object{someRealm(), realmKeys(), someGroup(), paris.DeepCopy()} {
			w.create(obj)
		}
		w.settle()
		zone := paris.DeepCopy()
		if c := w.is(zone, api.ConditionStalled); c.Reason != api.ReasonNameTaken {
			t.Fatalf("Stalled: %+v", c)
		}
		before := w.pools()
		w.ceph.ForgetCommands()
		w.remove(zone)
		w.settle()
		if w.multisite(zone) != nil || w.ceph.Writes() != 0 || !slices.Equal(w.pools(), before) {
			t.Errorf("pools %v are left of %v after %d writes", w.pools(), before, w.ceph.Writes())
		}
	})
}

// TestAStoreThatNeverCameToBeSparesPoolsThatHoldAnything is about pools that somebody
// made by hand for a zone without an object.
func TestAStoreThatNeverCameToBeSparesPoolsThatHoldAnything(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.realm.refusal = "no"
	w.settle()
	w.answers["df"] = func(answer []byte) []byte {
		return bytes.Replace(answer, []byte(`"objects":0`), []byte(`"objects":1`), 3) // the first pools are small ones
	}
	w.remove(s)
	w.settle()
	if c := w.condition("my-store", api.ConditionDeletionIsBlocked); c.Status != metav1.ConditionTrue || !strings.Contains(c.Message, "is not empty") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	if len(w.pools()) != len(poolsOfMyStore) {
		t.Errorf("pools %v are left", w.pools())
	}
}

func TestAStoreWaitsForClaimsThatOnlyItCanServe(t *testing.T) {
	s := someStore("shop", inZone)
	bound := &objectbucket.ObjectBucket{ObjectMeta: metav1.ObjectMeta{Name: "obc-app-photos"}, Spec: objectbucket.ObjectBucketSpec{
		ClaimRef:        &corev1.ObjectReference{Namespace: "app", Name: "photos", UID: "photos"},
		AdditionalState: map[string]string{objectbucket.StateStore: "shop", objectbucket.StateStoreNamespace: namespace},
	}}
	elsewhere := bound.DeepCopy()
	elsewhere.Name, elsewhere.Spec.AdditionalState[objectbucket.StateStore] = "obc-app-other", "other"
	elsewhere.Spec.ClaimRef.Name, elsewhere.Spec.ClaimRef.UID = "other", "other"
	former := bound.DeepCopy()
	former.Name, former.Spec.ClaimRef.UID = "obc-app-former", "former"
	claim := func(name string) *objectbucket.ObjectBucketClaim {
		return &objectbucket.ObjectBucketClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: name, UID: types.UID(name)}}
	}
	photos := claim("photos")
	w := newWorld(t, someRealm(), someGroup(), someZone(), realmKeys(), s, bound, elsewhere, former, photos, claim("other"))
	w.settle()
	w.remove(s)
	w.settle()
	blocked := w.condition("shop", api.ConditionDeletionIsBlocked)
	if blocked.Reason != api.ReasonDependents || !strings.Contains(blocked.Message, "there: ObjectBucketClaim app/photos;") || w.running["shop"] == "" {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	w.remove(photos)
	w.settle()
	if w.store("shop") != nil {
		t.Error("the store is still there")
	}
}
