package claim_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
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

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const (
	clusterNamespace = "rook-ceph"
	namespace        = "app"
	provisioner      = "rook-ceph.ceph.rook.io/bucket"
	uid              = "c1178d61-1517-431f-8408-ec4c9fa50bee"
	ownUser          = "obc-app-photos-" + uid
	generated        = "photo-" + uid
)

var everything = []string{"maxObjects", "maxSize", "bucketMaxObjects", "bucketMaxSize", "bucketPolicy", "bucketLifecycle", "bucketOwner"}

// world is the controller with a fake API server and a store.
type world struct {
	t          *testing.T
	kube       client.WithWatch
	gates      *gates
	clock      *clocktesting.FakePassiveClock
	events     *events.FakeRecorder
	reconciler *claim.Reconciler
	// writes counts those to the API server; crashAt is the one that fails, after it
	// has happened or not.
	writes, crashAt int
	after, playing  bool
	last            []string
}

func newWorld(t *testing.T, objs ...client.Object) *world {
	w := &world{t: t, gates: newGates(), events: events.NewFakeRecorder(10000),
		clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	store := &api.CephObjectStore{
		ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: "my-store", UID: "s1", Generation: 1},
		Spec:       api.ObjectStoreSpec{Gateway: api.GatewaySpec{Port: 80}},
		Status:     &api.CephObjectStoreStatus{Conditions: []api.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue, Reason: "AsExpected"}}},
	}
	w.kube = testenv.Fake(t, append(objs, store, classOf("buckets", corev1.PersistentVolumeReclaimDelete, nil))...).
		WithInterceptorFuncs(testenv.Apart(w.counter())).Build()
	w.restart()
	return w
}

// restart begins a new life of the service, which remembers nothing.
func (w *world) restart() {
	w.reconciler = &claim.Reconciler{
		Client: w.kube, Live: w.kube, Apply: apply.Applier{Client: w.kube, Manager: claim.Name}, Events: w.events,
		Gateways: w.gates, Clock: w.clock,
		Config: claim.Config{Provisioners: []string{provisioner}, Allowed: everything, Namespaces: []string{clusterNamespace}},
	}
}

func classOf(name string, policy corev1.PersistentVolumeReclaimPolicy, more map[string]string) *storagev1.StorageClass {
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("class-" + name)}, Provisioner: provisioner, ReclaimPolicy: &policy,
		Parameters: map[string]string{"objectStoreName": "my-store", "objectStoreNamespace": clusterNamespace, "region": "us-east-1"}}
	for key, value := range more {
		class.Parameters[key] = value
	}
	return class
}

func someClaim(edit ...func(*objectbucket.ObjectBucketClaim)) *objectbucket.ObjectBucketClaim {
	c := &objectbucket.ObjectBucketClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "photos", UID: uid, Generation: 1},
		Spec: objectbucket.ObjectBucketClaimSpec{StorageClassName: "buckets", GenerateBucketName: "photo"}}
	for _, e := range edit {
		e(c)
	}
	return c
}

func with(key, value string) func(*objectbucket.ObjectBucketClaim) {
	return func(c *objectbucket.ObjectBucketClaim) {
		if c.Spec.AdditionalConfig == nil {
			c.Spec.AdditionalConfig = map[string]string{}
		}
		c.Spec.AdditionalConfig[key] = value
	}
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
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return write("delete", obj, func() error { return c.Delete(ctx, obj, opts...) })
		},
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

// pass reconciles the claim once.
func (w *world) pass() (ctrl.Result, error) {
	result, err := w.reconciler.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "photos"}})
	if apierrors.IsConflict(err) {
		err = nil
	}
	return result, err
}

// settle reconciles until neither writes nor changes happen.
func (w *world) settle() {
	w.t.Helper()
	for range 100 {
		before, changes := w.writes, w.gates.changes
		_, err := w.pass()
		w.check(err)
		if w.writes == before && w.gates.changes == changes {
			return
		}
	}
	w.t.Fatalf("the claim does not come to rest:\n%s", strings.Join(w.last, "\n"))
}

// bound makes a claim and expects it to be bound.
func (w *world) bound(c *objectbucket.ObjectBucketClaim) {
	w.t.Helper()
	w.add(c)
	w.settle()
	if got := w.claim(); got.Status.Phase != objectbucket.ObjectBucketClaimBound {
		w.t.Fatalf("phase %s: %+v", got.Status.Phase, got.Status.Conditions)
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

// edit changes the claim as a user does.
func (w *world) edit(change func(*objectbucket.ObjectBucketClaim)) {
	w.t.Helper()
	c := w.claim()
	change(c)
	c.Generation++
	w.play(func() error { return w.kube.Update(w.t.Context(), c) })
}

// get reads an object; false when there is none.
func (w *world) get(key client.ObjectKey, into client.Object) bool {
	w.t.Helper()
	err := w.kube.Get(w.t.Context(), key, into)
	if apierrors.IsNotFound(err) {
		return false
	}
	w.check(err)
	return true
}

// claim reads the claim; nil when it is gone.
func (w *world) claim() *objectbucket.ObjectBucketClaim {
	w.t.Helper()
	c := &objectbucket.ObjectBucketClaim{}
	if !w.get(client.ObjectKey{Namespace: namespace, Name: "photos"}, c) {
		return nil
	}
	return c
}

func (w *world) record() *objectbucket.ObjectBucket {
	w.t.Helper()
	r := &objectbucket.ObjectBucket{}
	if !w.get(client.ObjectKey{Name: "obc-app-photos"}, r) {
		return nil
	}
	return r
}

func (w *world) secret() *corev1.Secret {
	w.t.Helper()
	s := &corev1.Secret{}
	if !w.get(client.ObjectKey{Namespace: namespace, Name: "photos"}, s) {
		return nil
	}
	return s
}

func (w *world) config() *corev1.ConfigMap {
	w.t.Helper()
	c := &corev1.ConfigMap{}
	if !w.get(client.ObjectKey{Namespace: namespace, Name: "photos"}, c) {
		return nil
	}
	return c
}

func (w *world) condition(typ string) api.Condition {
	w.t.Helper()
	return ptr.Deref(condition.Find(w.claim().Status.Conditions, typ), api.Condition{})
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

// gone asserts that nothing of the claim is left.
func (w *world) gone() {
	w.t.Helper()
	if w.claim() != nil || w.record() != nil || w.secret() != nil || w.config() != nil {
		w.t.Errorf("left: claim %v, record %v, secret %v, config %v", w.claim() != nil, w.record() != nil, w.secret() != nil, w.config() != nil)
	}
}

// finish reconciles a deletion to its end, over the crashes of the world.
func (w *world) finish() {
	w.t.Helper()
	for range 200 {
		if w.claim() == nil {
			return
		}
		if _, err := w.pass(); err != nil && !errors.Is(err, errCrash) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("the deletion does not end: %+v", w.claim().Status.Conditions)
}
