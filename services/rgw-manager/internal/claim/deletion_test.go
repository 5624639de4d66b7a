package claim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func fill(b *stored, objects int) {
	for i := range objects {
		b.objects[fmt.Sprintf("object-%06d", i)] = true
	}
}

func TestALargeBucketIsEmptiedInSlicesOverACrash(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	b := w.gates.buckets[generated]
	fill(b, 4321)
	b.uploads["big"] = true
	published := string(w.secret().Data["AWS_ACCESS_KEY_ID"])
	w.told()
	w.remove(w.claim())
	began := w.clock.Now()
	w.gates.took = func() { w.clock.SetTime(w.clock.Now().Add(6 * time.Second)) } // longer than a slice
	said, last := 0, ""
	for range 8 {
		_, err := w.pass()
		w.check(err)
		if got := w.condition(api.ConditionReady).Message; got != last {
			said, last = said+1, got
		}
	}
	if len(b.objects) == 0 || len(b.objects) > 4000 {
		t.Fatalf("%d objects are left", len(b.objects))
	}
	if most := int(w.clock.Now().Sub(began)/(10*time.Second)) + 1; said < 2 || said > most || !strings.Contains(last, "of 4300 objects are left") {
		t.Errorf("said %d times, at last %q", said, last)
	}
	for _, key := range w.gates.users[ownUser].Keys {
		if key.AccessKey == published {
			t.Error("the application still has access")
		}
	}
	w.restart()
	w.finish()
	w.gone()
	if len(w.gates.buckets)+len(w.gates.users) != 0 {
		t.Errorf("left: %v, %v", w.gates.buckets, w.gates.users)
	}
}

func TestASlowStoreIsAskedForLess(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	fill(w.gates.buckets[generated], 700)
	w.gates.slow = 100
	w.remove(w.claim())
	w.finish()
	if w.gates.buckets[generated] != nil {
		t.Error("the bucket is left")
	}
}

func TestObjectsUnderALockAreToldOf(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	fill(w.gates.buckets[generated], 3)
	w.gates.locked = true
	w.remove(w.claim())
	w.told()
	for range 5 {
		_, err := w.pass()
		w.check(err)
	}
	if told := w.told(); len(told) != 1 {
		t.Errorf("told %q, want one event", told)
	}
	if got := w.condition(api.ConditionStalled); got.Reason != "ObjectsLocked" || !strings.Contains(got.Message, "AccessDenied") {
		t.Errorf("Stalled is %s: %s", got.Reason, got.Message)
	}
	w.gates.locked = false
	w.finish()
	w.gone()
}

func TestARetainedBucketStaysWithoutAccess(t *testing.T) {
	w := newWorld(t, classOf("kept", corev1.PersistentVolumeReclaimRetain, nil))
	kept := func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName = "kept" }
	w.bound(someClaim(kept))
	fill(w.gates.buckets[generated], 3)
	w.remove(w.claim())
	w.finish()
	if b := w.gates.buckets[generated]; b == nil || len(b.objects) != 3 || len(w.gates.users[ownUser].Keys) != 0 {
		t.Errorf("bucket %+v, user %+v", b, w.gates.users[ownUser])
	}
	record := w.record()
	if record == nil || record.Status.Phase != objectbucket.ObjectBucketReleased || len(record.Finalizers) != 0 || w.secret() != nil {
		t.Errorf("ObjectBucket %+v, Secret %v", record, w.secret() != nil)
	}
	// Another claim of that name gets a bucket and an ObjectBucket of its own.
	w.bound(someClaim(kept, func(c *objectbucket.ObjectBucketClaim) { c.UID = "another-uid" }))
	if got := w.claim().Status; got.ObjectBucketName == "obc-app-photos" || got.BucketName == generated {
		t.Errorf("status %+v", got)
	}
	if w.record().Status.Phase != objectbucket.ObjectBucketReleased {
		t.Error("the ObjectBucket that was left was taken")
	}
}

func TestASharedBucketKeepsAllButOurStatement(t *testing.T) {
	w := newWorld(t, classOf("shared", corev1.PersistentVolumeReclaimDelete, map[string]string{"bucketName": "theirs"}))
	w.gates.newUser("them")
	b := w.gates.makeBucket("theirs", "them")
	b.policy = somePolicy
	fill(b, 3)
	w.bound(someClaim(func(c *objectbucket.ObjectBucketClaim) {
		c.Spec.StorageClassName, c.Spec.GenerateBucketName = "shared", ""
	}))
	if !strings.Contains(b.policy, "user/"+ownUser) || !strings.Contains(b.policy, `"Sid":"a"`) {
		t.Errorf("policy %s", b.policy)
	}
	if w.config().Data["BUCKET_NAME"] != "theirs" || *w.gates.users[ownUser].MaxBuckets != -1 {
		t.Errorf("ConfigMap %v, user %+v", w.config().Data, w.gates.users[ownUser])
	}
	w.remove(w.claim())
	w.finish()
	w.gone()
	if !bucket.SameJSON(b.policy, somePolicy) || len(b.objects) != 3 || w.gates.users[ownUser] != nil {
		t.Errorf("bucket %+v, users %v", b, w.gates.users)
	}
}

func TestABucketThatOutlivedItsClaimIsShared(t *testing.T) {
	w := newWorld(t, classOf("kept", corev1.PersistentVolumeReclaimRetain, nil),
		classOf("shared", corev1.PersistentVolumeReclaimDelete, map[string]string{"bucketName": generated}))
	w.bound(someClaim(func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName = "kept" }))
	w.remove(w.claim())
	w.finish()
	w.bound(someClaim(func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName, c.UID = "shared", "another-uid" }))
	b := w.gates.buckets[generated]
	if !strings.Contains(b.policy, "user/obc-app-photos-another-uid") || len(w.gates.users[ownUser].Keys) != 0 {
		t.Errorf("policy %s, keys of the owner %v", b.policy, w.gates.users[ownUser].Keys)
	}
	w.remove(w.claim())
	w.finish()
	if b := w.gates.buckets[generated]; b == nil || b.policy != "" || len(w.gates.users) != 1 || len(w.gates.users[ownUser].Keys) != 0 {
		t.Errorf("bucket %+v, users %v", b, w.gates.users)
	}
}

func TestABucketThatItsOwnerMadeAnewIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.gates.newUser("team")
	w.bound(someClaim(with("bucketOwner", "team")))
	w.gates.makeBucket(generated, "team").objects["a"] = true
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle()
	if got := w.condition(api.ConditionStalled); got.Reason != api.ReasonNameTaken {
		t.Errorf("Stalled is %s: %s", got.Reason, got.Message)
	}
	w.remove(w.claim())
	w.finish()
	w.gone()
	if b := w.gates.buckets[generated]; b == nil || len(b.objects) != 1 || len(w.gates.users) != 1 {
		t.Errorf("bucket %+v, users %v", b, w.gates.users)
	}
}

func TestASharedBucketIsNotSetByWhoSharesIt(t *testing.T) {
	w := newWorld(t, classOf("shared", corev1.PersistentVolumeReclaimDelete, map[string]string{"bucketName": "theirs"}))
	w.gates.newUser("them")
	w.gates.makeBucket("theirs", "them")
	w.add(someClaim(func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName = "shared" }, with("bucketMaxSize", "1G")))
	w.settle()
	if got := w.condition(api.ConditionStalled); got.Reason != api.ReasonInvalidSpec || w.gates.changes != 0 {
		t.Errorf("Stalled is %s: %s; %d changes", got.Reason, got.Message, w.gates.changes)
	}
}

func TestABucketThatWasGivenAwayIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	w.gates.newUser("them")
	w.gates.buckets[generated].owner = "them"
	fill(w.gates.buckets[generated], 3)
	w.remove(w.claim())
	w.finish()
	w.gone()
	if b := w.gates.buckets[generated]; b == nil || len(b.objects) != 3 {
		t.Error("a bucket of somebody else was deleted")
	}
}

func TestNothingIsDeletedWhileNobodyAnswers(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	w.gates.silent = true
	w.remove(w.claim())
	w.settle()
	if w.claim() == nil || w.record() == nil || w.secret() == nil || w.condition(api.ConditionReady).Reason != api.ReasonGatewayUnreachable {
		t.Error("something went although no gateway answers")
	}
	// The store is deleted, which it is only without buckets or to keep its pools.
	w.remove(&api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: "my-store"}})
	w.told()
	w.finish()
	w.gone()
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "BucketLeft") {
		t.Errorf("events: %v", told)
	}
}

func TestAClaimGoesAlthoughItsClassIsGone(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	w.remove(classOf("buckets", corev1.PersistentVolumeReclaimDelete, nil))
	w.settle()
	if w.claim().Status.Phase != objectbucket.ObjectBucketClaimBound {
		t.Errorf("phase %s", w.claim().Status.Phase)
	}
	w.restart()
	w.remove(w.claim())
	w.finish()
	w.gone()
	if len(w.gates.buckets)+len(w.gates.users) != 0 {
		t.Errorf("left: %v, %v", w.gates.buckets, w.gates.users)
	}
}

func TestAFewWorkersEmptyBuckets(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	release := w.reconciler.Occupy(3)
	w.remove(w.claim())
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonDeletingObjects || w.gates.buckets[generated] == nil {
		t.Errorf("Ready is %s: %s", got.Reason, got.Message)
	}
	release()
	w.finish()
	w.gone()
}

// life is a claim from its birth to its end, in a world that fails once.
func life(t *testing.T, fail func(*world)) *world {
	w := newWorld(t)
	w.gates.newUser("team")
	fail(w)
	until := func(what string, reached func() bool) {
		t.Helper()
		for range 100 {
			if reached() {
				return
			}
			if _, err := w.pass(); err != nil && !errors.Is(err, errCrash) {
				t.Fatalf("%s: %v", what, err)
			} else if err != nil {
				w.restart()
			}
		}
		t.Fatalf("%s: %+v", what, w.claim().Status)
	}
	w.add(someClaim(with("maxObjects", "10"), with("bucketPolicy", somePolicy), with("bucketLifecycle", someLifecycle)))
	until("bound", func() bool { return w.claim().Status.Phase == objectbucket.ObjectBucketClaimBound })
	w.edit(func(c *objectbucket.ObjectBucketClaim) {
		c.Spec.AdditionalConfig = map[string]string{"bucketOwner": "team", "bucketMaxSize": "1G"}
	})
	until("moved", func() bool {
		c := w.claim()
		return c.Status.ObservedGeneration == c.Generation && w.condition(api.ConditionReady).Status == metav1.ConditionTrue
	})
	b := w.gates.buckets[generated]
	if b.owner != "team" || b.policy != "" || b.lifecycle != nil || b.quota.MaxSize != 1e9 {
		t.Errorf("bucket %+v", b)
	}
	if key := string(w.secret().Data["AWS_ACCESS_KEY_ID"]); key != w.gates.users["team"].Keys[0].AccessKey {
		t.Error("the Secret has other keys than the owner")
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig = nil })
	until("moved back", func() bool {
		return w.gates.buckets[generated].owner == ownUser && w.condition(api.ConditionReady).Status == metav1.ConditionTrue
	})
	fill(w.gates.buckets[generated], 3)
	w.remove(w.claim())
	until("gone", func() bool { return w.claim() == nil })
	w.gone()
	if len(w.gates.buckets) != 0 || len(w.gates.users) != 1 {
		t.Errorf("left: %v, %v", w.gates.buckets, w.gates.users)
	}
	return w
}

func TestAFaultAtAnyWriteOrRequestIsOvercome(t *testing.T) {
	whole := life(t, func(*world) {})
	for _, after := range []bool{false, true} {
		for at := 1; at <= whole.writes; at += testenv.Stride(4) {
			t.Run(fmt.Sprintf("write %d, done %t", at, after), func(t *testing.T) {
				life(t, func(w *world) { w.crashAt, w.after = at, after })
			})
		}
		for at := 1; at <= whole.gates.changes; at += testenv.Stride(4) {
			for _, fault := range []error{errCrash, &ops.Error{Kind: ops.ErrUnreachable, Code: "NoAnswer"}} {
				t.Run(fmt.Sprintf("request %d, done %t, %v", at, after, fault), func(t *testing.T) {
					life(t, func(w *world) { w.gates.failAt, w.gates.after, w.gates.fault = at, after, fault })
				})
			}
		}
	}
}
