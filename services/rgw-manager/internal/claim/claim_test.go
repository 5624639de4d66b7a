package claim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
)

const somePolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/*"}]}`

const someLifecycle = `{"Rules":[{"ID":"old","Status":"Enabled","Prefix":"","Expiration":{"Days":30}}]}`

func TestAClaimIsBoundAndThenAllIsQuiet(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	b := w.gates.buckets[generated]
	if b == nil || b.owner != ownUser || ptr.Deref(w.gates.users[ownUser].MaxBuckets, 0) != 1 {
		t.Fatalf("bucket %+v, user %+v", b, w.gates.users[ownUser])
	}
	want := map[string]string{"BUCKET_HOST": "rook-ceph-rgw-my-store.rook-ceph.svc", "BUCKET_PORT": "80", "BUCKET_NAME": generated,
		"BUCKET_REGION": "us-east-1", "BUCKET_SUBREGION": ""}
	if diff := cmp.Diff(want, w.config().Data); diff != "" {
		t.Errorf("ConfigMap (-want +got):\n%s", diff)
	}
	key := w.gates.users[ownUser].Keys[0]
	secret := w.secret()
	if string(secret.Data["AWS_ACCESS_KEY_ID"]) != key.AccessKey || string(secret.Data["AWS_SECRET_ACCESS_KEY"]) != key.SecretKey {
		t.Error("the Secret holds other keys than the user")
	}
	if !metav1.IsControlledBy(secret, w.claim()) || !slices.Contains(secret.Finalizers, objectbucket.Finalizer) {
		t.Errorf("Secret: %+v", secret.ObjectMeta)
	}
	record := w.record()
	if record.Status.Phase != objectbucket.ObjectBucketBound || record.Spec.Endpoint.BucketName != generated || record.Spec.AdditionalState["cephUser"] != ownUser {
		t.Errorf("ObjectBucket: %+v %+v", record.Spec, record.Status)
	}
	if spec := w.claim().Spec; spec.BucketName != "" || spec.ObjectBucketName != "" {
		t.Error("the spec of the claim was written")
	}
	writes, calls := w.writes, w.gates.calls
	result, err := w.pass()
	w.check(err)
	if w.writes != writes || w.gates.calls != calls {
		t.Errorf("a settled claim costs %d writes and %d calls", w.writes-writes, w.gates.calls-calls)
	}
	if result.RequeueAfter < 8*time.Minute || result.RequeueAfter > 10*time.Minute {
		t.Errorf("looks again after %s", result.RequeueAfter)
	}
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "Bound bucket") {
		t.Errorf("told %q", told)
	}
}

func TestAReviewMendsWhatWentMissing(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim(with("maxObjects", "10")))
	before := w.secret().Data
	gone := w.secret()
	gone.Finalizers = nil
	w.play(func() error { return w.kube.Update(t.Context(), gone) })
	w.remove(gone)
	w.remove(w.config()) // its finalizer keeps it
	w.gates.users[ownUser].UserQuota = spec(ops.NoQuota)
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle()
	if w.secret() == nil || cmp.Diff(before, w.secret().Data) != "" {
		t.Error("the Secret did not come back with its keys")
	}
	if w.config() == nil || !w.config().DeletionTimestamp.IsZero() {
		t.Error("the ConfigMap did not come back")
	}
	if got := ops.QuotaOf(w.gates.users[ownUser].UserQuota).MaxObjects; got != 10 {
		t.Errorf("the quota is %d", got)
	}
	writes, changes := w.writes, w.gates.changes
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle()
	if w.writes != writes || w.gates.changes != changes {
		t.Error("a review of what is right changes something")
	}
}

func TestSettingsAreAppliedChangedAndTakenBack(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim(with("maxObjects", "10"), with("maxSize", "2G"), with("bucketMaxObjects", "5"), with("bucketMaxSize", "4Ki"),
		with("bucketPolicy", somePolicy), with("bucketLifecycle", someLifecycle)))
	user, b := w.gates.users[ownUser], w.gates.buckets[generated]
	if got := ops.QuotaOf(user.UserQuota); got != (ops.Quota{MaxSize: 2e9, MaxObjects: 10}) {
		t.Errorf("user quota %+v", got)
	}
	if b.quota != (ops.Quota{MaxSize: 4096, MaxObjects: 5}) || b.policy != somePolicy || *b.lifecycle.Rules[0].ID != "old" {
		t.Errorf("bucket %+v", b)
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig["maxObjects"] = "20" })
	w.settle()
	if got := ops.QuotaOf(user.UserQuota).MaxObjects; got != 20 {
		t.Errorf("user quota %d", got)
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig = nil })
	w.restart() // what has to be taken back is remembered
	w.settle()
	if ops.QuotaOf(user.UserQuota) != ops.NoQuota || b.quota != ops.NoQuota || b.policy != "" || b.lifecycle != nil {
		t.Errorf("left: %+v, %+v", user.UserQuota, b)
	}
	b.policy = somePolicy // by an administrator
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle()
	if b.policy == "" {
		t.Error("the policy of somebody else was removed")
	}
}

func TestBadInputMakesNothing(t *testing.T) {
	tests := map[string]struct {
		claim   func(*objectbucket.ObjectBucketClaim)
		reason  string
		message string
	}{
		"a setting that is not allowed": {func(c *objectbucket.ObjectBucketClaim) { with("color", "red")(c) }, api.ReasonConfigNotAllowed, "'color'"},
		"a quota of zero":               {with("maxObjects", "0"), api.ReasonInvalidSpec, "more than 0"},
		"a quota that is no number":     {with("maxSize", "much"), api.ReasonInvalidSpec, "no number"},
		"a malformed policy":            {with("bucketPolicy", "{"), api.ReasonInvalidSpec, "bucketPolicy"},
		"a malformed lifecycle":         {with("bucketLifecycle", `{"Rules":[]}`), api.ReasonInvalidSpec, "Rules"},
		"no name": {func(c *objectbucket.ObjectBucketClaim) { c.Spec.GenerateBucketName = "" },
			api.ReasonInvalidSpec, "generateBucketName"},
		"an invalid name": {func(c *objectbucket.ObjectBucketClaim) { c.Spec.BucketName = "Not_A_Name" },
			api.ReasonInvalidSpec, "small letters"},
		"the bucket of somebody else": {func(c *objectbucket.ObjectBucketClaim) { c.Spec.BucketName = "theirs" },
			api.ReasonNameTaken, "somebody else"},
		"an owner who does not exist": {with("bucketOwner", "nobody"), api.ReasonInvalidSpec, "no user"},
		"the bucket that an owner has already": {func(c *objectbucket.ObjectBucketClaim) {
			c.Spec.BucketName = "theirs"
			with("bucketOwner", "them")(c)
		}, api.ReasonNameTaken, "somebody else"},
		"a class without a store": {func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName = "storeless" },
			api.ReasonInvalidSpec, "objectStoreName"},
		"a class of a namespace that is not served": {func(c *objectbucket.ObjectBucketClaim) { c.Spec.StorageClassName = "abroad" },
			api.ReasonInvalidSpec, "does not serve"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			storeless := classOf("storeless", corev1.PersistentVolumeReclaimDelete, nil)
			delete(storeless.Parameters, "objectStoreName")
			w := newWorld(t, storeless, classOf("abroad", corev1.PersistentVolumeReclaimDelete, map[string]string{"objectStoreNamespace": "else"}))
			w.gates.newUser("them")
			w.gates.makeBucket("theirs", "them")
			w.add(someClaim(tc.claim))
			w.settle()
			ready, stalled := w.condition(api.ConditionReady), w.condition(api.ConditionStalled)
			if ready.Reason != tc.reason || !strings.Contains(ready.Message, tc.message) || stalled.Status != metav1.ConditionTrue {
				t.Errorf("Ready is %s: %s; Stalled is %s", ready.Reason, ready.Message, stalled.Status)
			}
			if told := w.told(); len(told) != 1 {
				t.Errorf("told %q, want one event", told)
			}
			if w.gates.changes != 0 || w.record() != nil || w.secret() != nil || len(w.claim().Finalizers) > 0 {
				t.Errorf("something was made: %d changes, %v, %v", w.gates.changes, w.record(), w.claim().Finalizers)
			}
			if w.claim().Status.Phase != objectbucket.ObjectBucketClaimFailed {
				t.Errorf("phase %s", w.claim().Status.Phase)
			}
			w.remove(w.claim())
			if w.claim() != nil {
				t.Error("the claim does not go")
			}
		})
	}
}

func TestClaimsOfOthersAreLeftAlone(t *testing.T) {
	other := classOf("other", corev1.PersistentVolumeReclaimDelete, nil)
	other.Provisioner = "noobaa.io/obc"
	for _, class := range []string{"other", "missing"} {
		w := newWorld(t, other.DeepCopy())
		w.add(someClaim(func(c *objectbucket.ObjectBucketClaim) {
			c.Spec.StorageClassName, c.Finalizers = class, []string{objectbucket.Finalizer}
		}))
		w.settle()
		w.remove(w.claim())
		w.settle()
		if w.writes != 0 || w.gates.calls != 0 || w.claim() == nil {
			t.Errorf("class %s: %d writes, %d calls, claim %v", class, w.writes, w.gates.calls, w.claim())
		}
	}
}

func TestAClaimWaitsForItsStore(t *testing.T) {
	w := newWorld(t)
	store := &api.CephObjectStore{}
	w.get(client.ObjectKey{Namespace: clusterNamespace, Name: "my-store"}, store)
	store.Status.Conditions[0].Status = metav1.ConditionFalse
	w.play(func() error { return w.kube.Status().Update(t.Context(), store) })
	w.add(someClaim())
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonParentNotReady || w.claim().Status.Phase != objectbucket.ObjectBucketClaimPending {
		t.Errorf("Ready is %s, phase %s", got.Reason, w.claim().Status.Phase)
	}
	w.remove(store)
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonParentMissing {
		t.Errorf("Ready is %s", got.Reason)
	}
	if w.gates.calls != 0 {
		t.Error("a store that is not ready was asked")
	}
}

func TestAGatewayThatIsSilentIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	w.gates.silent = true
	w.add(someClaim())
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonGatewayUnreachable {
		t.Errorf("Ready is %s: %s", got.Reason, got.Message)
	}
	w.gates.silent = false
	w.settle()
	if w.claim().Status.Phase != objectbucket.ObjectBucketClaimBound {
		t.Error("it is not bound afterwards")
	}
}

func TestAPolicyThatTheStoreRefusesIsNamed(t *testing.T) {
	w := newWorld(t)
	w.add(someClaim(with("bucketPolicy", strings.Replace(somePolicy, `"*"`, `"nobody-knows"`, 1))))
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonInvalidSpec || !strings.Contains(got.Message, "MalformedPolicy") {
		t.Errorf("Ready is %s: %s", got.Reason, got.Message)
	}
	if w.secret() != nil {
		t.Error("keys of a bucket that is not as asked for were published")
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig = nil })
	w.settle()
	if w.claim().Status.Phase != objectbucket.ObjectBucketClaimBound {
		t.Error("it is not bound once the policy is gone")
	}
}

func TestABoundClaimStaysBoundWhateverIsAskedNext(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim(func(c *objectbucket.ObjectBucketClaim) { c.Spec.BucketName = "mine" }))
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.BucketName = "other" })
	w.settle()
	if got := w.condition(api.ConditionStalled); got.Status != metav1.ConditionTrue || !strings.Contains(got.Message, "must not change") {
		t.Errorf("Stalled is %s: %s", got.Status, got.Message)
	}
	if w.claim().Status.Phase != objectbucket.ObjectBucketClaimBound || len(w.gates.buckets) != 1 {
		t.Errorf("phase %s, buckets %v", w.claim().Status.Phase, w.gates.buckets)
	}
}

func TestABucketThatDisappearsIsNotMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.bound(someClaim())
	delete(w.gates.buckets, generated)
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle()
	if got := w.condition(api.ConditionStalled); got.Reason != api.ReasonDrift || len(w.gates.buckets) != 0 {
		t.Errorf("Stalled is %s: %s; buckets %v", got.Reason, got.Message, w.gates.buckets)
	}
}

func TestASecretOfSomebodyElseIsNotOverwritten(t *testing.T) {
	w := newWorld(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "photos", UID: "x"}, Data: map[string][]byte{"a": []byte("b")}})
	w.add(someClaim())
	w.settle()
	if got := w.condition(api.ConditionReady); got.Reason != api.ReasonNameTaken || w.gates.changes != 0 {
		t.Errorf("Ready is %s: %s; %d changes", got.Reason, got.Message, w.gates.changes)
	}
	if diff := cmp.Diff(map[string][]byte{"a": []byte("b")}, w.secret().Data); diff != "" {
		t.Error(diff)
	}
}

func TestAClaimOfAnotherProvisionerIsTakenOverWithItsKeys(t *testing.T) {
	const bucket, user = "photo-before", "ceph-user-abc"
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "photos", UID: "secret", Finalizers: []string{objectbucket.Finalizer},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "objectbucket.io/v1alpha1", Kind: "ObjectBucketClaim", Name: "photos", UID: uid}}},
		Data: map[string][]byte{"AWS_ACCESS_KEY_ID": []byte("A2"), "AWS_SECRET_ACCESS_KEY": []byte("S2")}}
	record := &objectbucket.ObjectBucket{
		ObjectMeta: metav1.ObjectMeta{Name: "obc-app-photos", UID: "record", Finalizers: []string{objectbucket.Finalizer}},
		Spec: objectbucket.ObjectBucketSpec{StorageClassName: "buckets", ReclaimPolicy: ptr.To(corev1.PersistentVolumeReclaimDelete),
			ClaimRef:        &corev1.ObjectReference{Namespace: namespace, Name: "photos", UID: uid},
			Endpoint:        &objectbucket.Endpoint{BucketName: bucket, AdditionalConfig: map[string]string{"bucketPolicy": somePolicy}},
			AdditionalState: map[string]string{"cephUser": user, "objectStoreName": "my-store", "objectStoreNamespace": clusterNamespace}},
		Status: objectbucket.ObjectBucketStatus{Phase: objectbucket.ObjectBucketBound},
	}
	w := newWorld(t, secret, record)
	w.gates.newUser(user)
	w.gates.users[user].Keys = append(w.gates.users[user].Keys, w.gates.newUser("x").Keys...) // A2 is the second one
	w.gates.makeBucket(bucket, user).policy = somePolicy
	w.bound(someClaim(func(c *objectbucket.ObjectBucketClaim) {
		c.Spec.BucketName, c.Spec.ObjectBucketName, c.Finalizers = bucket, "obc-app-photos", []string{objectbucket.Finalizer}
		c.Status.Phase = objectbucket.ObjectBucketClaimBound
		with("bucketPolicy", somePolicy)(c)
	}))
	if diff := cmp.Diff(secret.Data, w.secret().Data); diff != "" {
		t.Errorf("keys (-before +now):\n%s", diff)
	}
	if w.gates.changes != 0 {
		t.Errorf("%d changes in the store", w.gates.changes)
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig = nil })
	w.settle()
	if w.gates.buckets[bucket].policy != "" {
		t.Error("a policy that was set before is not taken back")
	}
	w.remove(w.claim())
	w.finish()
	w.gone()
	if w.gates.buckets[bucket] != nil || w.gates.users[user] != nil {
		t.Error("the bucket or its user is left")
	}
}

func TestANamedOwnerOwnsTheBucketAndKeepsAllElse(t *testing.T) {
	w := newWorld(t)
	key := w.gates.newUser("team").Keys[0]
	w.bound(someClaim(with("bucketOwner", "team"), with("bucketMaxObjects", "3")))
	if got := w.gates.buckets[generated]; got.owner != "team" || got.quota.MaxObjects != 3 {
		t.Errorf("bucket %+v", got)
	}
	if w.gates.users[ownUser] != nil || string(w.secret().Data["AWS_ACCESS_KEY_ID"]) != key.AccessKey {
		t.Error("the claim has keys of its own")
	}
	w.gates.makeBucket("private", "team")
	w.remove(w.claim())
	w.finish()
	w.gone()
	if w.gates.buckets[generated] != nil || w.gates.buckets["private"] == nil || w.gates.users["team"] == nil || len(w.gates.users["team"].Keys) != 1 {
		t.Errorf("buckets %v, users %v", w.gates.buckets, w.gates.users)
	}
}

func TestAnEmptyBucketMovesToAnotherOwnerAndBack(t *testing.T) {
	w := newWorld(t)
	key := w.gates.newUser("team").Keys[0]
	w.bound(someClaim())
	b := w.gates.buckets[generated]
	b.objects["a"] = true
	w.edit(with("bucketOwner", "team"))
	w.settle()
	if got := w.condition(api.ConditionStalled); b.owner != ownUser || got.Reason != api.ReasonInvalidSpec || !strings.Contains(got.Message, "only while the bucket is empty") {
		t.Errorf("owner %s; Stalled is %s: %s", b.owner, got.Reason, got.Message)
	}
	delete(b.objects, "a")
	w.settle()
	if b.owner != "team" || w.gates.users[ownUser] != nil || string(w.secret().Data["AWS_ACCESS_KEY_ID"]) != key.AccessKey {
		t.Errorf("bucket %+v, users %v", b, w.gates.users)
	}
	w.edit(func(c *objectbucket.ObjectBucketClaim) { c.Spec.AdditionalConfig = nil })
	w.settle()
	if b.owner != ownUser || w.gates.users["team"] == nil {
		t.Errorf("bucket %+v, users %v", b, w.gates.users)
	}
}
