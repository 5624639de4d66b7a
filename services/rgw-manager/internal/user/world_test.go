package user_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwtest"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/user"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const (
	namespace = "rook-ceph"
	elsewhere = "app"
	published = "rook-ceph-object-user-my-store-anna"
)

var errCrash = errors.New("crash")

// world is the controller with a fake API server and a fake gateway.
type world struct {
	t          *testing.T
	kube       client.WithWatch
	gateway    *rgwtest.Gateway
	clock      *clocktesting.FakePassiveClock
	events     *events.FakeRecorder
	reconciler *user.Reconciler
	// writes counts those to the API server; crashAt is the one that fails, after it
	// has happened or not.
	writes, crashAt int
	after, playing  bool
	last            []string
}

func newWorld(t *testing.T, objs ...client.Object) *world {
	t.Helper()
	return newWorldOf(t, rgwtest.New(t), objs...)
}

func newWorldOf(t *testing.T, gateway *rgwtest.Gateway, objs ...client.Object) *world {
	t.Helper()
	w := &world{t: t, gateway: gateway, events: events.NewFakeRecorder(10000),
		clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	store := &api.CephObjectStore{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "my-store", UID: "s1", Generation: 1},
		Spec:       api.ObjectStoreSpec{Gateway: api.GatewaySpec{Port: 80}, AllowUsersInNamespaces: []string{elsewhere}},
		Status:     &api.CephObjectStoreStatus{Conditions: []api.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue, Reason: "AsExpected"}}},
	}
	admins := secretOf(namespace, names.RGWAdminOps("my-store"), names.AdminOpsAccessKey, rgwtest.AdminAccess, names.AdminOpsSecretKey, rgwtest.AdminSecret)
	w.kube = testenv.Fake(t, append(objs, store, admins)...).WithInterceptorFuncs(testenv.Apart(w.counter())).Build()
	w.restart()
	return w
}

// restart begins a new life of the service, which remembers nothing.
func (w *world) restart() {
	w.reconciler = &user.Reconciler{
		Client: w.kube, Live: w.kube, Apply: apply.Applier{Client: w.kube, Manager: user.Name}, Events: w.events, Clock: w.clock,
		Gateways: &ops.Pool{Reader: w.kube, Transport: w.gateway.Transport}, Namespaces: []string{namespace},
	}
}

func someUser(edit ...func(*api.CephObjectStoreUser)) *api.CephObjectStoreUser {
	u := &api.CephObjectStoreUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "anna", UID: "u-anna", Generation: 1},
		Spec: api.ObjectStoreUserSpec{Store: "my-store", DisplayName: "Anna"}}
	for _, e := range edit {
		e(u)
	}
	return u
}

// inApp puts a user into another namespace than its store.
func inApp(u *api.CephObjectStoreUser) { u.Namespace, u.Spec.ClusterNamespace = elsewhere, namespace }

// keyed gives a user keys from Secrets, each with fields access and secret.
func keyed(secrets ...string) func(*api.CephObjectStoreUser) {
	return func(u *api.CephObjectStoreUser) {
		for _, name := range secrets {
			ref := func(key string) *corev1.SecretKeySelector {
				return &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}
			}
			u.Spec.Keys = append(u.Spec.Keys, api.ObjectUserKey{AccessKeyRef: ref("access"), SecretKeyRef: ref("secret")})
		}
	}
}

func keySecret(name, access, secret string) *corev1.Secret {
	return secretOf(namespace, name, "access", access, "secret", secret)
}

func secretOf(in, name string, data ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: name, UID: types.UID("secret-" + name)}, Data: map[string][]byte{}}
	for i := 0; i < len(data); i += 2 {
		s.Data[data[i]] = []byte(data[i+1])
	}
	return s
}

func (w *world) counter() interceptor.Funcs {
	write := func(verb string, obj any, do func() error) error {
		if w.playing {
			return do()
		}
		w.writes++
		if body, err := json.Marshal(obj); err == nil {
			w.last = append(w.last[max(0, len(w.last)-5):], verb+" "+string(body))
		}
		if w.crashAt == 0 || w.writes != w.crashAt {
			return do()
		}
		if w.after {
			_ = do()
		}
		return errCrash
	}
	return interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return write("patch", obj, func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return write("apply", obj, func() error { return c.Apply(ctx, obj, opts...) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			return write("apply "+sub, obj, func() error { return c.SubResource(sub).Apply(ctx, obj, opts...) })
		},
	}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass reconciles one user once.
func (w *world) pass(of *api.CephObjectStoreUser) (ctrl.Result, error) {
	result, err := w.reconciler.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(of)})
	if apierrors.IsConflict(err) {
		err = nil
	}
	return result, err
}

// settle reconciles until nothing is written any more, and returns the last result.
func (w *world) settle(of *api.CephObjectStoreUser) ctrl.Result {
	w.t.Helper()
	for range 50 {
		before := w.writes
		result, err := w.pass(of)
		w.check(err)
		if w.writes == before {
			return result
		}
	}
	w.t.Fatalf("the user does not come to rest:\n%s", strings.Join(w.last, "\n"))
	return ctrl.Result{}
}

// ready makes a user and expects it to be ready.
func (w *world) ready(u *api.CephObjectStoreUser) {
	w.t.Helper()
	w.add(u)
	w.settle(u)
	if c := w.condition(u, api.ConditionReady); c.Status != metav1.ConditionTrue {
		w.t.Fatalf("user %s is not ready: %+v", u.Name, c)
	}
}

func (w *world) play(do func() error) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	w.check(do())
}

func (w *world) add(obj client.Object) {
	w.t.Helper()
	w.play(func() error { return w.kube.Create(w.t.Context(), obj) })
}

func (w *world) remove(obj client.Object) {
	w.t.Helper()
	w.play(func() error { return w.kube.Delete(w.t.Context(), obj) })
}

// edit changes an object as a person does.
func edit[T client.Object](w *world, obj T, change func(T)) {
	w.t.Helper()
	w.check(w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(obj), obj))
	change(obj)
	obj.SetGeneration(obj.GetGeneration() + 1)
	w.play(func() error { return w.kube.Update(w.t.Context(), obj) })
}

// read returns a user as it is; nil when it is gone.
func (w *world) read(of *api.CephObjectStoreUser) *api.CephObjectStoreUser {
	w.t.Helper()
	u := &api.CephObjectStoreUser{}
	err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(of), u)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	return u
}

// secret returns a Secret; nil when there is none.
func (w *world) secret(in, name string) *corev1.Secret {
	w.t.Helper()
	s := &corev1.Secret{}
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: in, Name: name}, s)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	return s
}

func (w *world) condition(of *api.CephObjectStoreUser, typ string) api.Condition {
	w.t.Helper()
	u := w.read(of)
	if u == nil || u.Status == nil {
		w.t.Fatalf("no status of %s", of.Name)
	}
	return ptr.Deref(condition.Find(u.Status.Conditions, typ), api.Condition{})
}

// live is the user as the gateway has it.
func (w *world) live(uid string) admin.User {
	w.t.Helper()
	found, ok := w.gateway.User(uid)
	if !ok {
		w.t.Fatalf("there is no user %s", uid)
	}
	return found
}

// keys are the pairs of a user, as access=secret.
func (w *world) keys(uid string) []string {
	w.t.Helper()
	var all []string
	for _, key := range w.live(uid).Keys {
		all = append(all, key.AccessKey+"="+key.SecretKey)
	}
	return all
}

// shown is the pair that is published, as access=secret.
func (w *world) shown() string {
	w.t.Helper()
	s := w.secret(namespace, published)
	if s == nil {
		w.t.Fatal("no Secret is published")
	}
	return string(s.Data["AccessKey"]) + "=" + string(s.Data["SecretKey"])
}

// told empties the events.
func (w *world) told() []string {
	var all []string
	for {
		select {
		case text := <-w.events.Events:
			all = append(all, text)
		default:
			return all
		}
	}
}
