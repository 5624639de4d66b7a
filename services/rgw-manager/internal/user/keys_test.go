package user_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/user"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestAChangedSecretChangesTheKeyWithOverlap(t *testing.T) {
	u, one := someUser(keyed("one", "two")), keySecret("one", "K1", "s1")
	w := newWorld(t, one, keySecret("two", "K2", "s2"))
	w.ready(u)
	if diff := cmp.Diff([]string{"K1=s1", "K2=s2"}, w.keys("anna")); diff != "" || w.shown() != "K1=s1" {
		t.Fatalf("published %s\n%s", w.shown(), diff)
	}
	edit(w, one, func(s *corev1.Secret) { s.Data["access"], s.Data["secret"] = []byte("K9"), []byte("s9") })
	w.settle(u)
	if diff := cmp.Diff([]string{"K1=s1", "K2=s2", "K9=s9"}, w.keys("anna")); diff != "" || w.shown() != "K9=s9" {
		t.Errorf("published %s\n%s", w.shown(), diff)
	}
	if retiring := w.read(u).Status.RetiringKeys; len(retiring) != 1 || strings.Contains(retiring[0].Hash, "K1") {
		t.Errorf("retiring are %v", retiring)
	}
	w.clock.SetTime(w.clock.Now().Add(user.Overlap - time.Second))
	w.restart()
	w.settle(u)
	if !slices.Contains(w.keys("anna"), "K1=s1") {
		t.Error("the old key went too soon")
	}
	w.clock.SetTime(w.clock.Now().Add(2 * time.Second))
	w.settle(u)
	if diff := cmp.Diff([]string{"K2=s2", "K9=s9"}, w.keys("anna")); diff != "" || len(w.read(u).Status.RetiringKeys) > 0 {
		t.Errorf("after the overlap:\n%s", diff)
	}
}

func TestAKeyWrittenInPlaceOfThePublishedOneReplacesIt(t *testing.T) {
	u := someUser()
	w := newWorld(t)
	w.ready(u)
	old := w.shown()
	live := w.live("anna")
	live.Keys = append(live.Keys, admin.UserKeySpec{AccessKey: "KTHEIRS", SecretKey: "st"})
	w.gateway.AddUser(live)
	edit(w, w.secret(namespace, published), func(s *corev1.Secret) {
		s.Data["AccessKey"], s.Data["SecretKey"] = []byte("KNEW"), []byte("sn")
	})
	w.settle(u)
	if got := w.keys("anna"); !slices.Contains(got, old) || !slices.Contains(got, "KNEW=sn") || w.shown() != "KNEW=sn" {
		t.Errorf("published %s of %v", w.shown(), got)
	}
	w.clock.SetTime(w.clock.Now().Add(user.Overlap + time.Second))
	w.settle(u)
	if diff := cmp.Diff([]string{"KTHEIRS=st", "KNEW=sn"}, w.keys("anna")); diff != "" {
		t.Errorf("the key of somebody else stays:\n%s", diff)
	}
	w.remove(w.secret(namespace, published))
	w.settle(u)
	if w.shown() != "KNEW=sn" {
		t.Errorf("published again is %s", w.shown())
	}
}

// TestNothingIsMadeOfWhatIsWrong expects a reason, one event, and that nothing is made
// or changed in the store.
func TestNothingIsMadeOfWhatIsWrong(t *testing.T) {
	stranger := secretOf(namespace, published, "AccessKey", "KS", "SecretKey", "ss")
	older := someUser(inApp, func(u *api.CephObjectStoreUser) {
		u.UID, u.Status = "u-older", &api.CephObjectStoreUserStatus{KeyHashes: []string{"h"}}
	})
	for name, tc := range map[string]struct {
		user   *api.CephObjectStoreUser
		beside []client.Object
		reason string
		says   string
		quiet  bool
	}{
		"a key of another user":        {someUser(keyed("k")), []client.Object{keySecret("k", "KBERT", "s")}, api.ReasonKeyTaken, "'bert'", false},
		"a key whose user is not told": {someUser(inApp, keyed("k")), []client.Object{secretOf(elsewhere, "k", "access", "KBERT", "secret", "s")}, api.ReasonKeyTaken, "another user", false},
		"a Secret that does not exist": {someUser(keyed("k")), nil, api.ReasonSecretMissing, "'k'", false},
		"a Secret without the key":     {someUser(keyed("k")), []client.Object{secretOf(namespace, "k", "access", "K")}, api.ReasonSecretInvalid, "'secret'", false},
		"a key with the end of a line": {someUser(keyed("k")), []client.Object{keySecret("k", "K", "hush\n")}, api.ReasonSecretInvalid, "end of a line", false},
		"a key that would be decoded":  {someUser(keyed("k")), []client.Object{keySecret("k", "K", "hush+")}, api.ReasonSecretInvalid, "letter", false},
		"the same key twice":           {someUser(keyed("k", "l")), []client.Object{keySecret("k", "K", "s"), keySecret("l", "K", "t")}, api.ReasonSecretInvalid, "same access key", false},
		"a quota below zero": {someUser(func(u *api.CephObjectStoreUser) {
			u.Spec.Quotas = &api.ObjectUserQuotaSpec{MaxObjects: ptr.To[int64](-5)}
		}), nil, api.ReasonInvalidSpec, "maxObjects", false},
		"a name that the store needs":     {someUser(func(u *api.CephObjectStoreUser) { u.Name = "rgw-admin-ops-user" }), nil, api.ReasonInvalidSpec, "rgw-admin-ops-user", false},
		"a Secret of somebody else":       {someUser(), []client.Object{stranger}, api.ReasonNameTaken, published, false},
		"a user that another object has":  {someUser(), []client.Object{older}, api.ReasonNameTaken, "another namespace", false},
		"a namespace that is not allowed": {someUser(inApp, func(u *api.CephObjectStoreUser) { u.Namespace = "no" }), nil, api.ReasonNamespaceNotAllowed, "allowUsersInNamespaces", false},
		"a user of a stranger, from afar": {someUser(inApp, func(u *api.CephObjectStoreUser) { u.Name = "bert" }), nil, api.ReasonNameTaken, "'bert'", false},
		"a store that does not exist":     {someUser(func(u *api.CephObjectStoreUser) { u.Spec.Store = "no-store" }), nil, api.ReasonParentMissing, "'no-store'", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(tc.beside, tc.user)...)
			w.gateway.AddUser(admin.User{ID: "bert", Keys: []admin.UserKeySpec{{AccessKey: "KBERT", SecretKey: "sb"}}})
			w.settle(tc.user)
			writes := w.writes
			_, err := w.pass(tc.user)
			w.check(err)
			c := w.condition(tc.user, api.ConditionReady)
			if c.Status != metav1.ConditionFalse || c.Reason != tc.reason || !strings.Contains(c.Message, tc.says) || strings.Contains(c.Message, "hush") {
				t.Errorf("got %+v", c)
			}
			if told := w.told(); len(told) != 1 && !tc.quiet || w.writes != writes {
				t.Errorf("told %v, %d writes", told, w.writes-writes)
			}
			if got := w.gateway.Users(); !slices.Equal(got, []string{"bert"}) || !slices.Equal(w.keys("bert"), []string{"KBERT=sb"}) {
				t.Errorf("users are %v", got)
			}
			if s := w.secret(tc.user.Namespace, published); s != nil && s.UID != stranger.UID || len(w.read(tc.user).Finalizers) > 0 {
				t.Error("something was half made")
			}
		})
	}
}

func TestAKeyThatTheUserHasMayHoldAnyLetter(t *testing.T) {
	w := newWorld(t, keySecret("k", "K/1", "hu+sh%"))
	w.gateway.AddUser(admin.User{ID: "anna", DisplayName: "Anna", Keys: []admin.UserKeySpec{{AccessKey: "K/1", SecretKey: "hu+sh%"}}})
	w.ready(someUser(keyed("k")))
	if got := w.keys("anna"); !slices.Equal(got, []string{"K/1=hu+sh%"}) {
		t.Errorf("keys are %v", got)
	}
}
