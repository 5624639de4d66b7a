package user_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwtest"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func rich(u *api.CephObjectStoreUser) {
	u.Spec.Quotas = &api.ObjectUserQuotaSpec{MaxBuckets: ptr.To[int32](7), MaxSize: ptr.To(resource.MustParse("10Gi")), MaxObjects: ptr.To[int64](100)}
	u.Spec.Capabilities = &api.ObjectUserCapSpec{User: "read", Users: "write", Bucket: "*", Usage: "read"}
	u.Spec.OpMask = &[]api.ObjectUserOp{api.ObjectUserOpWrite, api.ObjectUserOpRead}
}

// richly is what a gateway says of such a user.
func richly(u admin.User) string {
	var caps []string
	for _, one := range u.Caps {
		caps = append(caps, one.Type+"="+one.Perm)
	}
	return fmt.Sprintf("%s; %d buckets; %v; %s; %+v", u.DisplayName, *u.MaxBuckets, caps, u.OpMask, ops.QuotaOf(u.UserQuota))
}

const richlyMade = "Anna; 7 buckets; [buckets=* usage=read users=*]; read, write; {MaxSize:10737418240 MaxObjects:100}"

func TestAUserIsMadeAndItsKeyPublished(t *testing.T) {
	u := someUser(rich)
	w := newWorld(t)
	w.ready(u)
	if got := richly(w.live("anna")); got != richlyMade {
		t.Errorf("got %s", got)
	}
	if got := w.keys("anna"); !slices.Equal(got, []string{w.shown()}) {
		t.Errorf("the keys are %v, published is %s", got, w.shown())
	}
	secret := w.secret(namespace, published)
	if secret.Type != "kubernetes.io/rook" || !metav1.IsControlledBy(secret, u) || string(secret.Data["Endpoint"]) != "http://rook-ceph-rgw-my-store.rook-ceph.svc:80" {
		t.Errorf("the Secret is %+v", secret)
	}
	for label, want := range map[string]string{"app": "rook-ceph-rgw", "user": "anna", "rook_cluster": namespace, "rook_object_store": "my-store"} {
		if secret.Labels[label] != want {
			t.Errorf("label %s is %q", label, secret.Labels[label])
		}
	}
	now := w.read(u)
	if diff := cmp.Diff(someUser(rich).Spec, now.Spec); diff != "" {
		t.Errorf("the spec was written:\n%s", diff)
	}
	if now.Status.Phase != api.PhaseReady || now.Status.Info["secretName"] != published || now.Status.ObservedGeneration != 1 {
		t.Errorf("the status is %+v", now.Status)
	}
	if made := w.gateway.Requests(); len(made) > 5 {
		t.Errorf("it took %d requests: %v", len(made), made)
	}
}

func TestASettledUserCostsNothing(t *testing.T) {
	u := someUser(rich, keyed("one"))
	w := newWorld(t, keySecret("one", "K1", "s1"))
	w.ready(u)
	before := w.writes
	w.gateway.Requests()
	for range 3 {
		result, err := w.pass(u)
		w.check(err)
		if result.RequeueAfter <= 0 || result.RequeueAfter > time.Minute {
			t.Errorf("the Secrets are read again after %s", result.RequeueAfter)
		}
	}
	if asked := w.gateway.Requests(); len(asked) > 0 || w.writes != before {
		t.Errorf("requests %v, %d writes", asked, w.writes-before)
	}
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	_, err := w.pass(u)
	w.check(err)
	if diff := cmp.Diff([]string{"GET admin user"}, w.gateway.Requests()); diff != "" || w.writes != before {
		t.Errorf("a review: %d writes and requests\n%s", w.writes-before, diff)
	}
}

func TestWhatDiffersIsSetBack(t *testing.T) {
	u := someUser(rich)
	w := newWorld(t)
	w.ready(u)
	live := w.live("anna")
	live.DisplayName, live.MaxBuckets, live.OpMask = "Eve", ptr.To(1000), "read, write, delete"
	live.Caps = []admin.UserCapSpec{{Type: "users", Perm: "read"}, {Type: "zone", Perm: "*"}, {Type: "buckets", Perm: "*"}}
	live.UserQuota = admin.QuotaSpec{}
	w.gateway.AddUser(live)
	w.clock.SetTime(w.clock.Now().Add(11 * time.Minute))
	w.settle(u)
	if got := richly(w.live("anna")); got != richlyMade {
		t.Errorf("got %s", got)
	}
	edit(w, u, func(u *api.CephObjectStoreUser) {
		u.Spec.Quotas, u.Spec.Capabilities, u.Spec.OpMask, u.Spec.DisplayName = nil, nil, nil, ""
	})
	w.settle(u)
	if got, want := richly(w.live("anna")), "anna; 0 buckets; []; read, write, delete; {MaxSize:-1 MaxObjects:-1}"; got != want {
		t.Errorf("without limits: got %s, want %s", got, want)
	}
}

func TestLimitsMeanWhatTheySay(t *testing.T) {
	for name, tc := range map[string]struct {
		quotas  *api.ObjectUserQuotaSpec
		buckets int
		want    ops.Quota
	}{
		"nothing is no limit":          {&api.ObjectUserQuotaSpec{}, 0, ops.NoQuota},
		"a size of zero keeps nothing": {&api.ObjectUserQuotaSpec{MaxSize: ptr.To(resource.MustParse("0"))}, 0, ops.Quota{MaxObjects: -1}},
		"zero objects are none":        {&api.ObjectUserQuotaSpec{MaxObjects: ptr.To[int64](0)}, 0, ops.Quota{MaxSize: -1}},
		"-1 objects are no limit":      {&api.ObjectUserQuotaSpec{MaxObjects: ptr.To[int64](-1)}, 0, ops.NoQuota},
		"zero buckets are no limit":    {&api.ObjectUserQuotaSpec{MaxBuckets: ptr.To[int32](0)}, 0, ops.NoQuota},
		"-1 buckets are none":          {&api.ObjectUserQuotaSpec{MaxBuckets: ptr.To[int32](-1)}, -1, ops.NoQuota},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ready(someUser(func(u *api.CephObjectStoreUser) { u.Spec.Quotas = tc.quotas }))
			live := w.live("anna")
			if got := ops.QuotaOf(live.UserQuota); got != tc.want || *live.MaxBuckets != tc.buckets {
				t.Errorf("got %+v and %d buckets", got, *live.MaxBuckets)
			}
		})
	}
}

// TestAUserIsPlaced changes where buckets are made, with gateways that word the class
// in either way.
func TestAUserIsPlaced(t *testing.T) {
	for name, options := range map[string][]rgwtest.Option{"later releases": nil, "reef": {rgwtest.Lacks("default-storage-class")}} {
		t.Run(name, func(t *testing.T) {
			u := someUser(func(u *api.CephObjectStoreUser) {
				u.Spec.DefaultPlacement, u.Spec.DefaultStorageClass = "nowhere", "ICE"
			})
			w := newWorldOf(t, rgwtest.New(t, options...), u)
			w.settle(u)
			if c := w.condition(u, api.ConditionReady); c.Reason != api.ReasonGatewayRefused || !strings.Contains(c.Message, "'nowhere'") || len(w.gateway.Users()) > 0 {
				t.Errorf("a placement that does not exist: %+v, users %v", c, w.gateway.Users())
			}
			for _, want := range []struct{ placement, class string }{
				{"cold", "ICE"}, {"cold", ""}, {"", ""}, {"default-placement", "STANDARD"},
			} {
				edit(w, u, func(u *api.CephObjectStoreUser) {
					u.Spec.DefaultPlacement, u.Spec.DefaultStorageClass = want.placement, want.class
				})
				w.settle(u)
				live := w.live("anna")
				if c := w.condition(u, api.ConditionReady); c.Status != metav1.ConditionTrue || !ops.SameClass(live.DefaultStorageClass, want.class) ||
					want.placement != "" && live.DefaultPlacement != want.placement {
					t.Errorf("want %+v, got %s %s, %+v", want, live.DefaultPlacement, live.DefaultStorageClass, c)
				}
			}
		})
	}
}

func TestTheSecretIsAsItsTemplateSays(t *testing.T) {
	template := func(labels api.Labels, notes api.Annotations) func(*api.CephObjectStoreUser) {
		return func(u *api.CephObjectStoreUser) {
			u.Spec.SecretTemplate = &api.ObjectUserSecretTemplate{Labels: labels, Annotations: notes}
		}
	}
	u := someUser(template(api.Labels{"team": "a b"}, nil))
	w := newWorld(t, u)
	w.settle(u)
	if c := w.condition(u, api.ConditionReady); c.Reason != api.ReasonInvalidSpec || !strings.Contains(c.Message, "secretTemplate.labels") || len(w.gateway.Users()) > 0 {
		t.Errorf("a label that is none: %+v, users %v", c, w.gateway.Users())
	}
	edit(w, u, template(api.Labels{"team": "photos", "app": "mine"}, api.Annotations{"note": "n"}))
	w.settle(u)
	if s := w.secret(namespace, published); s.Labels["team"] != "photos" || s.Labels["app"] != "rook-ceph-rgw" || s.Annotations["note"] != "n" {
		t.Errorf("labels %v, annotations %v", s.Labels, s.Annotations)
	}
	edit(w, u, template(nil, nil))
	w.settle(u)
	if s := w.secret(namespace, published); s.Labels["team"] != "" || len(s.Annotations) > 0 {
		t.Errorf("what was taken out is left: labels %v, annotations %v", s.Labels, s.Annotations)
	}
}

func TestNoOperationIsNone(t *testing.T) {
	w := newWorld(t)
	u := someUser(func(u *api.CephObjectStoreUser) { u.Spec.OpMask = &[]api.ObjectUserOp{} })
	w.ready(u)
	if got := w.live("anna").OpMask; got != "<none>" {
		t.Errorf("the user may %s", got)
	}
}

// TestAUserIsMadeOverCrashes ends the service at every write, before and after it, and
// loses every reply of the gateway.
func TestAUserIsMadeOverCrashes(t *testing.T) {
	whole := func(t *testing.T, w *world, u *api.CephObjectStoreUser) {
		t.Helper()
		w.settle(u)
		if got := w.keys("anna"); !slices.Equal(got, []string{w.shown()}) || richly(w.live("anna")) != richlyMade {
			t.Errorf("got keys %v, published %s, user %s", got, w.shown(), richly(w.live("anna")))
		}
		if c := w.condition(u, api.ConditionReady); c.Status != metav1.ConditionTrue {
			t.Errorf("not ready: %+v", c)
		}
	}
	for at := 1; at <= 5; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, after it %t", at, after), func(t *testing.T) {
				u := someUser(rich)
				w := newWorld(t, u)
				w.crashAt, w.after = at, after
				for range 3 {
					_, _ = w.pass(u)
					w.restart()
				}
				whole(t, w, u)
			})
		}
	}
	for _, kind := range []string{"GET admin user", "PUT admin user", "PUT admin user quota"} {
		t.Run("lost reply to "+kind, func(t *testing.T) {
			u := someUser(rich)
			w := newWorld(t, u)
			w.gateway.LoseReply(kind)
			result, err := w.pass(u)
			w.check(err)
			if c := w.condition(u, api.ConditionReady); c.Reason != api.ReasonGatewayUnreachable || result.RequeueAfter == 0 {
				t.Errorf("got %+v, again after %s", c, result.RequeueAfter)
			}
			w.restart()
			whole(t, w, u)
		})
	}
}

func TestManyUsersBecomeReadyWithFewRequests(t *testing.T) {
	const many = 200
	w := newWorld(t)
	for i := range many {
		u := someUser(func(u *api.CephObjectStoreUser) { u.Name = fmt.Sprintf("user-%d", i); u.UID = types.UID(u.Name) })
		w.add(u)
		w.settle(u)
	}
	if made := w.gateway.Requests(); len(made) > 4*many || len(w.gateway.Users()) != many {
		t.Errorf("%d requests for %d users", len(made), len(w.gateway.Users()))
	}
}

func TestUsersOfStoresThatOthersServeAreLeftAlone(t *testing.T) {
	u := someUser(func(u *api.CephObjectStoreUser) { u.Spec.ClusterNamespace = "other-cluster" })
	w := newWorld(t, u)
	result, err := w.pass(u)
	w.check(err)
	if (result != ctrl.Result{}) || w.writes > 0 || w.read(u).Status != nil {
		t.Errorf("got %+v, %d writes", result, w.writes)
	}
}

func TestAUserInAnotherNamespaceHasItsSecretThere(t *testing.T) {
	u := someUser(inApp, rich)
	w := newWorld(t)
	w.ready(u)
	secret := w.secret(elsewhere, published)
	if secret == nil || w.secret(namespace, published) != nil {
		t.Fatal("the Secret is in the wrong place")
	}
	if key := w.live("anna").Keys[0]; key.AccessKey != string(secret.Data["AccessKey"]) {
		t.Error("the Secret holds another key")
	}
}

func TestAUserInAnotherNamespaceOutlivesACrash(t *testing.T) {
	for at := 1; at <= 5; at++ {
		u := someUser(inApp)
		w := newWorld(t, u)
		w.crashAt, w.after = at, true
		_, _ = w.pass(u)
		w.restart()
		w.settle(u)
		if c := w.condition(u, api.ConditionReady); c.Status != metav1.ConditionTrue {
			t.Errorf("after a crash at write %d: %+v", at, c)
		}
	}
}

func TestAUserOfRookIsTakenOverWithItsKeys(t *testing.T) {
	u := someUser(func(u *api.CephObjectStoreUser) { u.Finalizers = []string{"cephobjectstoreuser.ceph.rook.io"} })
	old := secretOf(namespace, published, "AccessKey", "KOLD", "SecretKey", "stale", "Endpoint", "http://old")
	old.Type = "kubernetes.io/rook"
	old.OwnerReferences = []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephObjectStoreUser", Name: "anna", UID: u.UID, Controller: ptr.To(true)}}
	w := newWorld(t, old)
	w.gateway.AddUser(admin.User{ID: "anna", DisplayName: "Anna", Keys: []admin.UserKeySpec{{AccessKey: "KOTHER", SecretKey: "so"}, {AccessKey: "KOLD", SecretKey: "sk"}}})
	w.gateway.AddBucket("photos", "anna")
	w.ready(u)
	w.clock.SetTime(w.clock.Now().Add(time.Hour))
	w.settle(u)
	if got := w.shown(); got != "KOLD=sk" {
		t.Errorf("published is %s", got)
	}
	if got := w.keys("anna"); len(got) != 2 {
		t.Errorf("the keys are %v", got)
	}
	w.gateway.RemoveBucket("photos")
	w.remove(w.read(u))
	w.settle(u)
	if w.read(u) != nil || len(w.gateway.Users()) != 0 {
		t.Errorf("left: %v", w.gateway.Users())
	}
}

func TestAUserWithBucketsIsNotRemoved(t *testing.T) {
	u := someUser()
	w := newWorld(t)
	w.ready(u)
	w.gateway.AddBucket("photos", "anna")
	w.gateway.AddBucket("music", "anna")
	w.gateway.AddBucket("theirs", "bert")
	w.remove(w.read(u))
	result := w.settle(u)
	blocked := w.condition(u, api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "music, photos") || strings.Contains(blocked.Message, "theirs") || result.RequeueAfter == 0 {
		t.Errorf("got %+v, again after %s", blocked, result.RequeueAfter)
	}
	if told := w.told(); len(told) != 1 {
		t.Errorf("told %v", told)
	}
	if w.read(u).Status.Phase != api.PhaseDeleting || w.secret(namespace, published) == nil {
		t.Error("the user does not go on while it waits")
	}
	w.gateway.RemoveBucket("photos")
	w.gateway.RemoveBucket("music")
	w.settle(u)
	if w.read(u) != nil || slices.Contains(w.gateway.Users(), "anna") {
		t.Error("the user is still there")
	}
}

func TestNothingIsRemovedThatWasNotMade(t *testing.T) {
	for name, begin := range map[string]func(w *world, u *api.CephObjectStoreUser){
		"a user of somebody else": func(w *world, u *api.CephObjectStoreUser) {
			w.gateway.AddUser(admin.User{ID: "anna", Keys: []admin.UserKeySpec{{AccessKey: "KX", SecretKey: "sx"}}})
			w.settle(u)
		},
		"a store that is gone": func(w *world, u *api.CephObjectStoreUser) {
			w.gateway.AddUser(admin.User{ID: "anna"})
			w.settle(u)
			w.remove(&api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "my-store"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := someUser(inApp)
			w := newWorld(t, u)
			begin(w, u)
			w.remove(w.read(u))
			w.settle(u)
			if w.read(u) != nil || !slices.Contains(w.gateway.Users(), "anna") {
				t.Errorf("object left: %t, users %v", w.read(u) != nil, w.gateway.Users())
			}
		})
	}
}

func TestAUserOfASilentStoreIsKeptUntilItIsRemoved(t *testing.T) {
	u := someUser()
	w := newWorld(t)
	w.ready(u)
	w.gateway.Stop()
	w.remove(w.read(u))
	w.settle(u)
	if c := w.condition(u, api.ConditionReady); c.Reason != api.ReasonGatewayUnreachable {
		t.Errorf("got %+v", c)
	}
	w.gateway.Start()
	w.gateway.LoseReply("DELETE admin user")
	for range 4 {
		if w.read(u) == nil {
			break
		}
		_, err := w.pass(u)
		w.check(err)
	}
	if w.read(u) != nil || len(w.gateway.Users()) != 0 {
		t.Errorf("left: %v", w.gateway.Users())
	}
}

func TestAStaleCacheTakesNothingFromTheStatus(t *testing.T) {
	w := newWorld(t)
	u := someUser()
	w.ready(u)
	want := w.read(u).Status
	w.reconciler.Client = interceptor.NewClient(w.kube, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, obj, opts...)
			if seen, ok := obj.(*api.CephObjectStoreUser); ok {
				seen.Status, seen.ManagedFields = nil, nil
			}
			return err
		},
	})
	_, err := w.pass(u)
	w.check(err)
	if diff := cmp.Diff(want, w.read(u).Status); diff != "" {
		t.Errorf("the status has changed: %s", diff)
	}
}
