//go:build librados && integration

package integration_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	userctl "github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/user"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// users is the user controller with a fake API server and a real gateway.
type users struct{ *served }

// TestAUserLivesWithARealGateway makes what users ask for, changes it and removes it.
func TestAUserLivesWithARealGateway(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			u := users{newServed(t, release)}
			for _, story := range []struct {
				name string
				tell func()
			}{
				{"drawn key", u.drawnKey}, {"given keys", u.givenKeys}, {"odd letters", u.oddLetters}, {"taken key", u.takenKey},
				{"limits", u.limits}, {"operations", u.operations}, {"capabilities", u.capabilities}, {"placement", u.placement},
				{"namespaces", u.namespaces}, {"takeover", u.takeover}, {"deletion", u.deletion},
			} {
				t.Run(story.name, func(t *testing.T) {
					defer u.in(t)()
					story.tell()
				})
			}
		})
	}
}

// ask makes an object that asks for a user.
func (u users) ask(in, name string, edit ...func(*api.ObjectStoreUserSpec)) *api.CephObjectStoreUser {
	u.t.Helper()
	made := &api.CephObjectStoreUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: name, UID: types.UID("uid-" + in + "-" + name), Generation: 1},
		Spec:       api.ObjectStoreUserSpec{Store: "my-store", DisplayName: "Some " + name},
	}
	if in != namespace {
		made.Spec.ClusterNamespace = namespace
	}
	for _, e := range edit {
		e(&made.Spec)
	}
	u.check(u.kube.Create(u.t.Context(), made))
	u.rest(made)
	return made
}

// make makes a user, and wants it to be ready.
func (u users) make(name string, edit ...func(*api.ObjectStoreUserSpec)) *api.CephObjectStoreUser {
	u.t.Helper()
	made := u.ask(namespace, name, edit...)
	u.ready(made)
	return made
}

// change edits the spec of a user, and wants it to be ready.
func (u users) change(of *api.CephObjectStoreUser, edit func(*api.ObjectStoreUserSpec)) {
	u.t.Helper()
	u.check(u.kube.Get(u.t.Context(), client.ObjectKeyFromObject(of), of))
	edit(&of.Spec)
	of.Generation++
	u.check(u.kube.Update(u.t.Context(), of))
	u.rest(of)
	u.ready(of)
}

// rest lets the service look at a user until it changes nothing any more, and returns
// when it wants to look again.
func (u users) rest(of *api.CephObjectStoreUser) time.Duration {
	u.t.Helper()
	const most = 20
	for range most {
		u.took()
		result, err := u.service.User.Reconcile(u.t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(of)})
		changes := u.took()
		if err != nil && !apierrors.IsConflict(err) {
			u.t.Fatalf("%s: %v", of.Name, err)
		}
		if err == nil && len(changes) == 0 {
			return result.RequeueAfter
		}
	}
	u.t.Fatalf("user %s does not come to rest", of.Name)
	return 0
}

// quiet wants a review of the user to change nothing.
func (u users) quiet(of *api.CephObjectStoreUser) {
	u.t.Helper()
	u.restart()
	u.took()
	_, err := u.service.User.Reconcile(u.t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(of)})
	u.check(err)
	if changes := u.took(); len(changes) > 0 {
		u.t.Errorf("a review of what is right changes %v", changes)
	}
	u.ready(of)
}

// condition is one of a user's.
func (u users) condition(of *api.CephObjectStoreUser, typ string) api.Condition {
	u.t.Helper()
	now := &api.CephObjectStoreUser{}
	u.check(u.kube.Get(u.t.Context(), client.ObjectKeyFromObject(of), now))
	if now.Status == nil {
		u.t.Fatalf("user %s has no status", of.Name)
	}
	return ptr.Deref(condition.Find(now.Status.Conditions, typ), api.Condition{})
}

func (u users) ready(of *api.CephObjectStoreUser) {
	u.t.Helper()
	if c := u.condition(of, api.ConditionReady); c.Status != metav1.ConditionTrue {
		u.t.Fatalf("user %s is not ready: %+v", of.Name, c)
	}
}

// refused wants a user not to be ready for a reason, and no Secret to be made of it.
func (u users) refused(of *api.CephObjectStoreUser, reason, says string) {
	u.t.Helper()
	c := u.condition(of, api.ConditionReady)
	if c.Status != metav1.ConditionFalse || c.Reason != reason || !strings.Contains(c.Message, says) {
		u.t.Errorf("user %s: got %+v, want %s with %q", of.Name, c, reason, says)
	}
	if u.published(of) != nil {
		u.t.Errorf("user %s has a Secret", of.Name)
	}
}

// none wants the store to have no such user.
func (u users) none(uid string) {
	u.t.Helper()
	if _, err := u.gates.User(u.t.Context(), uid); !errors.Is(err, ops.ErrNotFound) {
		u.t.Errorf("user %s: %v, want none", uid, err)
	}
}

// live is the user as the gateway has it.
func (u users) live(uid string) admin.User {
	u.t.Helper()
	found, err := u.gates.User(u.t.Context(), uid)
	u.check(err)
	return found
}

// end deletes a user, and wants it to go.
func (u users) end(of *api.CephObjectStoreUser) {
	u.t.Helper()
	u.check(u.kube.Delete(u.t.Context(), of))
	u.rest(of)
	if err := u.kube.Get(u.t.Context(), client.ObjectKeyFromObject(of), of); !apierrors.IsNotFound(err) {
		u.t.Errorf("user %s is still there: %v", of.Name, err)
	}
	u.none(of.Name)
	u.collect(of)
}

// collect deletes what belonged to a user that is gone, as a garbage collector does.
func (u users) collect(of *api.CephObjectStoreUser) {
	u.t.Helper()
	if secret := u.published(of); secret != nil && metav1.IsControlledBy(secret, of) {
		u.check(u.kube.Delete(u.t.Context(), secret))
	}
}

// published is the Secret with a key of the user; nil for none.
func (u users) published(of *api.CephObjectStoreUser) *corev1.Secret {
	u.t.Helper()
	found := &corev1.Secret{}
	err := u.kube.Get(u.t.Context(), client.ObjectKey{Namespace: of.Namespace, Name: names.ObjectUserSecret("my-store", of.Name)}, found)
	if apierrors.IsNotFound(err) {
		return nil
	}
	u.check(err)
	return found
}

// app speaks S3 with the published key.
func (u users) app(of *api.CephObjectStoreUser) *s3.Client {
	u.t.Helper()
	secret := u.published(of)
	if secret == nil {
		u.t.Fatalf("user %s has no Secret", of.Name)
	}
	return u.gates.As(string(secret.Data["AccessKey"]), string(secret.Data["SecretKey"]))
}

// bucket makes a bucket, and returns its name.
func (u users) bucket(as *s3.Client, name string) *string {
	u.t.Helper()
	_, err := as.CreateBucket(u.t.Context(), &s3.CreateBucketInput{Bucket: &name})
	u.check(err)
	return &name
}

func (u users) removeBucket(as *s3.Client, name *string, keys ...string) {
	u.t.Helper()
	for _, key := range keys {
		_, err := as.DeleteObject(u.t.Context(), &s3.DeleteObjectInput{Bucket: name, Key: &key})
		u.check(err)
	}
	_, err := as.DeleteBucket(u.t.Context(), &s3.DeleteBucketInput{Bucket: name})
	u.check(err)
}

// keyIn makes a Secret with a key, or changes it.
func (u users) keyIn(in, name, access, secret string) {
	u.t.Helper()
	ctx, at := u.t.Context(), metav1.ObjectMeta{Namespace: in, Name: name}
	made := &corev1.Secret{ObjectMeta: at, Data: map[string][]byte{"access": []byte(access), "secret": []byte(secret)}}
	if err := u.kube.Create(ctx, made); !apierrors.IsAlreadyExists(err) {
		u.check(err)
		return
	}
	now := &corev1.Secret{}
	u.check(u.kube.Get(ctx, client.ObjectKeyFromObject(made), now))
	now.Data = made.Data
	u.check(u.kube.Update(ctx, now))
}

// keyed gives a user the keys of Secrets.
func keyed(secrets ...string) func(*api.ObjectStoreUserSpec) {
	return func(spec *api.ObjectStoreUserSpec) {
		spec.Keys = nil
		for _, name := range secrets {
			ref := func(key string) *corev1.SecretKeySelector {
				return &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}
			}
			spec.Keys = append(spec.Keys, api.ObjectUserKey{AccessKeyRef: ref("access"), SecretKeyRef: ref("secret")})
		}
	}
}

// works wants a key to be accepted; over is the opposite.
func (u users) works(access, secret string) {
	u.t.Helper()
	if _, err := u.gates.As(access, secret).ListBuckets(u.t.Context(), &s3.ListBucketsInput{}); err != nil {
		u.t.Errorf("key %s: %v", access, err)
	}
}

func (u users) over(access, secret string) {
	u.t.Helper()
	if _, err := u.gates.As(access, secret).ListBuckets(u.t.Context(), &s3.ListBucketsInput{}); !errors.Is(err, ops.ErrDenied) {
		u.t.Errorf("key %s: %v, want it denied", access, err)
	}
}

func (u users) drawnKey() {
	ctx := u.t.Context()
	of := u.make("anna", func(spec *api.ObjectStoreUserSpec) {
		spec.SecretTemplate = &api.ObjectUserSecretTemplate{Labels: api.Labels{"team": "photos"}, Annotations: api.Annotations{"note": "n"}}
	})
	secret := u.published(of)
	if secret.Name != "rook-ceph-object-user-my-store-anna" || secret.Type != "kubernetes.io/rook" || !metav1.IsControlledBy(secret, of) ||
		string(secret.Data["Endpoint"]) != "http://rook-ceph-rgw-my-store.rook-ceph.svc:80" {
		u.t.Errorf("the Secret is %s of type %s at %s", secret.Name, secret.Type, secret.Data["Endpoint"])
	}
	if secret.Labels["team"] != "photos" || secret.Labels["app"] != "rook-ceph-rgw" || secret.Annotations["note"] != "n" {
		u.t.Errorf("the Secret has labels %v and annotations %v", secret.Labels, secret.Annotations)
	}
	live := u.live("anna")
	if len(live.Keys) != 1 || live.Keys[0].AccessKey != string(secret.Data["AccessKey"]) || live.DisplayName != "Some anna" || *live.MaxBuckets != 0 {
		u.t.Errorf("the user is %s with %d keys and %d buckets", live.DisplayName, len(live.Keys), *live.MaxBuckets)
	}
	name := u.bucket(u.app(of), "annas")
	u.check(errors.Join(put(ctx, u.app(of), name, "a"), fetch(ctx, u.app(of), name, "a")))
	u.quiet(of)

	// Somebody writes another pair into the Secret, then the Secret goes.
	old := live.Keys[0]
	secret.Data["AccessKey"], secret.Data["SecretKey"] = []byte("WRITTEN"), []byte("in-place")
	u.check(u.kube.Update(ctx, secret))
	u.rest(of)
	u.works("WRITTEN", "in-place")
	u.works(old.AccessKey, old.SecretKey)
	u.clock.forward(userctl.Overlap + time.Second)
	u.rest(of)
	u.over(old.AccessKey, old.SecretKey)
	u.check(u.kube.Delete(ctx, u.published(of)))
	u.rest(of)
	u.check(fetch(ctx, u.app(of), name, "a"))
	u.quiet(of)
	u.removeBucket(u.app(of), name, "a")
	u.end(of)
}

func (u users) givenKeys() {
	u.keyIn(namespace, "first", "FIRST", "first-secret")
	u.keyIn(namespace, "second", "SECOND", "second-secret")
	of := u.make("bert", keyed("first", "second"))
	u.works("FIRST", "first-secret")
	u.works("SECOND", "second-secret")
	if shown := u.published(of); string(shown.Data["AccessKey"]) != "FIRST" {
		u.t.Errorf("published is %s", shown.Data["AccessKey"])
	}
	u.quiet(of)

	u.keyIn(namespace, "first", "THIRD", "third-secret")
	u.rest(of)
	u.works("FIRST", "first-secret")
	u.works("THIRD", "third-secret")
	u.quiet(of)
	u.clock.forward(userctl.Overlap + time.Second)
	u.rest(of)
	u.over("FIRST", "first-secret")
	u.works("THIRD", "third-secret")

	u.keyIn(namespace, "second", "SECOND", "another-secret")
	u.rest(of)
	u.over("SECOND", "second-secret")
	u.works("SECOND", "another-secret")

	u.change(of, keyed("second"))
	u.works("THIRD", "third-secret")
	if shown := u.published(of); string(shown.Data["AccessKey"]) != "SECOND" {
		u.t.Errorf("published is %s", shown.Data["AccessKey"])
	}
	u.clock.forward(userctl.Overlap + time.Second)
	u.rest(of)
	u.over("THIRD", "third-secret")
	if live := u.live("bert"); len(live.Keys) != 1 {
		u.t.Errorf("%d keys are left", len(live.Keys))
	}
	u.quiet(of)
	u.end(of)
	u.over("SECOND", "another-secret")
}

// oddLetters gives users keys of all letters that are not refused: one is made with
// its key, the other gets it later.
func (u users) oddLetters() {
	var access, secret []rune
	for letter := '!'; letter <= '~'; letter++ {
		if !strings.ContainsRune("+%", letter) {
			secret = append(secret, letter)
			if !strings.ContainsRune("/,:=&", letter) {
				access = append(access, letter)
			}
		}
	}
	u.keyIn(namespace, "odd", string(access), string(secret))
	of := u.make("carl", keyed("odd"))
	u.works(string(access), string(secret))
	u.quiet(of)
	u.end(of)
	of = u.make("carl")
	u.change(of, keyed("odd"))
	u.works(string(access), string(secret))
	u.clock.forward(userctl.Overlap + time.Second)
	u.rest(of)
	u.quiet(of)
	u.end(of)
}

func (u users) takenKey() {
	made, err := u.gates.CreateUser(u.t.Context(), admin.User{ID: "dora", DisplayName: "Dora", GenerateKey: ptr.To(true)})
	u.check(err)
	key := made.Keys[0]
	u.keyIn(namespace, "stolen", key.AccessKey, "guess")
	of := u.ask(namespace, "emil", keyed("stolen"))
	u.refused(of, api.ReasonKeyTaken, "'dora'")
	u.none("emil")
	u.works(key.AccessKey, key.SecretKey)

	u.keyIn(namespace, "stolen", "FREE", "free-secret")
	u.rest(of)
	u.ready(of)
	u.works("FREE", "free-secret")

	// The key of another user is not taken by one that exists either.
	u.keyIn(namespace, "stolen", key.AccessKey, "guess")
	u.rest(of)
	if c := u.condition(of, api.ConditionReady); c.Reason != api.ReasonKeyTaken {
		u.t.Errorf("got %+v", c)
	}
	u.works("FREE", "free-secret")
	u.works(key.AccessKey, key.SecretKey)
	u.end(of)
	u.check(u.gates.RemoveUser(u.t.Context(), "dora"))
}

func (u users) limits() {
	ctx := u.t.Context()
	quotas := func(buckets *int32, size string, objects *int64) func(*api.ObjectStoreUserSpec) {
		return func(spec *api.ObjectStoreUserSpec) {
			spec.Quotas = &api.ObjectUserQuotaSpec{MaxBuckets: buckets, MaxObjects: objects}
			if size != "" {
				spec.Quotas.MaxSize = ptr.To(resource.MustParse(size))
			}
		}
	}
	of := u.make("frida", quotas(ptr.To[int32](1), "1Mi", ptr.To[int64](2)))
	as := u.app(of)
	name := u.bucket(as, "fridas")
	if _, err := as.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("fridas-other")}); !errors.Is(err, ops.ErrQuota) {
		u.t.Errorf("a bucket too many: %v", err)
	}
	u.check(errors.Join(put(ctx, as, name, "a"), put(ctx, as, name, "b")))
	if err := put(ctx, as, name, "c"); !errors.Is(err, ops.ErrQuota) {
		u.t.Errorf("an object too many: %v", err)
	}
	u.quiet(of)
	for what, limit := range map[string]func(*api.ObjectStoreUserSpec){
		"a size of zero": quotas(nil, "0", nil), "no objects": quotas(nil, "", ptr.To[int64](0)),
	} {
		u.change(of, limit)
		if err := put(ctx, as, name, "c"); !errors.Is(err, ops.ErrQuota) {
			u.t.Errorf("%s: %v", what, err)
		}
		u.quiet(of)
	}
	u.change(of, quotas(ptr.To[int32](-1), "", ptr.To[int64](-1)))
	u.check(put(ctx, as, name, "c"))
	if _, err := as.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("fridas-other")}); err == nil {
		u.t.Error("who may own no bucket makes one")
	}
	u.quiet(of)
	u.change(of, func(spec *api.ObjectStoreUserSpec) { spec.Quotas = nil })
	u.removeBucket(as, u.bucket(as, "fridas-other"))
	u.quiet(of)

	// Somebody else limits the user.
	u.check(u.gates.SetUserQuota(ctx, "frida", ops.Quota{MaxSize: 1, MaxObjects: 1}))
	u.clock.forward(11 * time.Minute)
	u.rest(of)
	u.check(put(ctx, as, name, "d"))
	u.removeBucket(as, name, "a", "b", "c", "d")
	u.end(of)
}

func (u users) operations() {
	ctx := u.t.Context()
	may := func(list ...api.ObjectUserOp) func(*api.ObjectStoreUserSpec) {
		return func(spec *api.ObjectStoreUserSpec) { spec.OpMask = &list }
	}
	of := u.make("gina")
	as := u.app(of)
	name := u.bucket(as, "ginas")
	u.check(put(ctx, as, name, "a"))
	u.change(of, may(api.ObjectUserOpRead))
	if err := put(ctx, as, name, "a"); !errors.Is(err, ops.ErrDenied) {
		u.t.Errorf("who may only read writes: %v", err)
	}
	u.check(fetch(ctx, as, name, "a"))
	u.quiet(of)
	u.change(of, may([]api.ObjectUserOp{}...))
	if err := fetch(ctx, as, name, "a"); !errors.Is(err, ops.ErrDenied) {
		u.t.Errorf("who may do nothing reads: %v", err)
	}
	u.quiet(of)
	u.change(of, func(spec *api.ObjectStoreUserSpec) { spec.OpMask = nil })
	u.removeBucket(as, name, "a")
	u.quiet(of)
	u.end(of)
	of = u.make("gina", may(api.ObjectUserOpDelete, api.ObjectUserOpRead))
	if got := u.live("gina").OpMask; got != "read, delete" {
		u.t.Errorf("the user may %s", got)
	}
	u.quiet(of)
	u.end(of)
}

func (u users) capabilities() {
	ctx := u.t.Context()
	caps := func(is api.ObjectUserCapSpec) func(*api.ObjectStoreUserSpec) {
		return func(spec *api.ObjectStoreUserSpec) { spec.Capabilities = &is }
	}
	of := u.make("hans", caps(api.ObjectUserCapSpec{User: "read", Buckets: "*", Usage: "read, write"}))
	administer := func() *admin.API {
		secret := u.published(of)
		as, err := admin.New("http://store", string(secret.Data["AccessKey"]), string(secret.Data["SecretKey"]), u.throughClient())
		u.check(err)
		return as
	}
	if _, err := administer().GetUser(ctx, admin.User{ID: "hans"}); err != nil {
		u.t.Errorf("who may read users: %v", err)
	}
	if _, err := administer().CreateUser(ctx, admin.User{ID: "ines", DisplayName: "Ines"}); err == nil {
		u.t.Error("who may only read users makes one")
	}
	u.quiet(of)
	u.change(of, caps(api.ObjectUserCapSpec{Users: "write", Zone: "read"}))
	want := []admin.UserCapSpec{{Type: "users", Perm: "write"}, {Type: "zone", Perm: "read"}}
	if diff := cmp.Diff(want, u.live("hans").Caps); diff != "" {
		u.t.Errorf("caps:\n%s", diff)
	}
	if _, err := administer().GetUser(ctx, admin.User{ID: "hans"}); err == nil {
		u.t.Error("who may only write users reads them")
	}
	u.quiet(of)
	u.change(of, func(spec *api.ObjectStoreUserSpec) { spec.Capabilities = nil })
	if got := u.live("hans").Caps; len(got) > 0 {
		u.t.Errorf("caps %v are left", got)
	}
	u.quiet(of)
	u.end(of)

	every := api.ObjectUserCapSpec{Users: "*", Buckets: "*", Metadata: "*", Usage: "*", Zone: "*", Roles: "*", Info: "*", AMZCache: "*", BILog: "*",
		MDLog: "*", DataLog: "*", UserPolicy: "*", OIDCProvider: "*", RateLimit: "*"}
	of = u.make("hans", caps(every))
	if got := u.live("hans").Caps; len(got) != len(every.List()) {
		u.t.Errorf("the user has %v", got)
	}
	u.quiet(of)
	u.end(of)

	every.Accounts, every.UserInfoWithoutKeys = "*", "*"
	of = u.ask(namespace, "hans", caps(every))
	if c := u.condition(of, api.ConditionReady); c.Status != metav1.ConditionTrue {
		u.refused(of, api.ReasonGatewayRefused, "`capabilities`")
		u.none("hans")
		u.change(of, caps(api.ObjectUserCapSpec{Users: "*"}))
	}
	u.quiet(of)
	u.end(of)
}

func (u users) placement() {
	ctx := u.t.Context()
	where := func(placement, class string) func(*api.ObjectStoreUserSpec) {
		return func(spec *api.ObjectStoreUserSpec) {
			spec.DefaultPlacement, spec.DefaultStorageClass = placement, class
		}
	}
	of := u.ask(namespace, "jana", where("nowhere", ""))
	u.refused(of, api.ReasonGatewayRefused, "'nowhere'")
	u.none("jana")
	u.change(of, where("cold", "ICE"))
	as := u.app(of)
	name := u.bucket(as, "janas")
	u.check(put(ctx, as, name, "a"))
	is := func(key, placement, class string) {
		u.t.Helper()
		bucket, err := u.gates.Bucket(ctx, *name)
		u.check(err)
		object, err := as.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: &key})
		u.check(err)
		if bucket.PlacementRule != placement || string(object.StorageClass) != class {
			u.t.Errorf("the bucket is in %s, %s is of class %s", bucket.PlacementRule, key, object.StorageClass)
		}
	}
	is("a", "cold/ICE", "ICE")
	u.quiet(of)
	u.removeBucket(as, name, "a")
	u.change(of, where("cold", ""))
	u.quiet(of)
	u.bucket(as, "janas")
	u.check(put(ctx, as, name, "a"))
	is("a", "cold", "")
	u.removeBucket(as, name, "a")
	u.end(of)
	of = u.make("jana", where("cold", "STANDARD"))
	u.quiet(of)
	u.end(of)
}

func (u users) namespaces() {
	ctx := u.t.Context()
	stranger := u.ask("elsewhere", "kim")
	u.refused(stranger, api.ReasonNamespaceNotAllowed, "allowUsersInNamespaces")
	u.none("kim")
	of := u.ask("app", "kim")
	u.ready(of)
	name := u.bucket(u.app(of), "kims")
	u.check(put(ctx, u.app(of), name, "a"))
	u.quiet(of)
	if secret := u.published(of); secret.Namespace != "app" {
		u.t.Errorf("the Secret is in %s", secret.Namespace)
	}
	u.removeBucket(u.app(of), name, "a")
	u.check(u.kube.Delete(ctx, stranger))
	u.rest(stranger)
	u.live("kim") // is not that of the stranger
	u.end(of)

	_, err := u.gates.CreateUser(ctx, admin.User{ID: "lars", DisplayName: "Lars", GenerateKey: ptr.To(true)})
	u.check(err)
	of = u.ask("app", "lars")
	u.refused(of, api.ReasonNameTaken, "'lars'")
	u.check(u.kube.Delete(ctx, of))
	u.rest(of)
	u.check(u.gates.RemoveUser(ctx, "lars"))
}

// takeover finds a user that somebody made by hand.
func (u users) takeover() {
	ctx := u.t.Context()
	made, err := u.gates.CreateUser(ctx, admin.User{ID: "mia", DisplayName: "By hand", GenerateKey: ptr.To(true), MaxBuckets: ptr.To(5)})
	u.check(err)
	key := made.Keys[0]
	u.check(u.gates.AddKey(ctx, "mia", "BYHAND", "by-hand"))
	of := u.make("mia")
	u.clock.forward(userctl.Overlap + time.Second)
	u.rest(of)
	u.works(key.AccessKey, key.SecretKey)
	u.works("BYHAND", "by-hand")
	if live := u.live("mia"); live.DisplayName != "Some mia" || *live.MaxBuckets != 0 || len(live.Keys) != 2 {
		u.t.Errorf("the user is %s with %d keys and %d buckets", live.DisplayName, len(live.Keys), *live.MaxBuckets)
	}
	u.quiet(of)
	u.end(of)
}

func (u users) deletion() {
	ctx := u.t.Context()
	of := u.make("nora")
	as, old := u.app(of), u.published(of)
	var made []*string
	for _, name := range []string{"noras-b", "noras-a"} {
		made = append(made, u.bucket(as, name))
	}
	u.check(u.kube.Delete(ctx, of))
	again := u.rest(of)
	blocked := u.condition(of, api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "noras-a, noras-b") || again == 0 {
		u.t.Errorf("got %+v, again after %s", blocked, again)
	}
	u.check(put(ctx, as, made[0], "a"))
	if told := len(u.events.Events); told != 1 {
		u.t.Errorf("%d events", told)
	}
	u.removeBucket(as, made[0], "a")
	u.rest(of)
	if c := u.condition(of, api.ConditionDeletionIsBlocked); strings.Contains(c.Message, "noras-b") || !strings.Contains(c.Message, "noras-a") {
		u.t.Errorf("got %+v", c)
	}
	u.removeBucket(as, made[1])
	u.rest(of)
	if err := u.kube.Get(ctx, client.ObjectKeyFromObject(of), of); !apierrors.IsNotFound(err) {
		u.t.Fatalf("the user is still there: %v", err)
	}
	u.none("nora")
	u.over(string(old.Data["AccessKey"]), string(old.Data["SecretKey"]))

	found, err := u.gates.Buckets(ctx)
	u.check(err)
	if !slices.Equal(found, []string{}) {
		u.t.Errorf("buckets %v are left", found)
	}
}
