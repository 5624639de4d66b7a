//go:build envtest

package claim_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// startOnServer runs the controller against a real API server.
func startOnServer(t *testing.T, served string) {
	t.Helper()
	options := cache.Options{DefaultNamespaces: map[string]cache.Config{served: {}}}
	setup.Narrow(&options, nil)
	m, err := ctrl.NewManager(testenv.Start(t), ctrl.Options{Scheme: setup.Scheme(), Cache: options, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)}})
	if err != nil {
		t.Fatal(err)
	}
	r := &claim.Reconciler{Client: m.GetClient(), Live: m.GetAPIReader(), Apply: apply.Applier{Client: m.GetClient(), Manager: claim.Name},
		Events: m.GetEventRecorder(claim.Name), Gateways: newGates(), Clock: clock.RealClock{},
		Config: claim.Config{Provisioners: claim.Provisioners("", []string{served}), Allowed: everything, Namespaces: []string{served}}}
	if err := r.Register(m); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
}

func TestARealServerTakesAllThatIsWrittenForAClaim(t *testing.T) {
	c, ctx := testenv.Client(t), t.Context()
	served, apps := testenv.Namespace(t, c), testenv.Namespace(t, c)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	await := func(what string, holds func() bool) {
		t.Helper()
		err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return holds(), nil })
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: served, Name: "my-store"}}
	replicated := api.PoolSpec{Replicated: api.ReplicatedSpec{Size: 3}}
	store.Spec.MetadataPool, store.Spec.DataPool = replicated.DeepCopy(), replicated.DeepCopy()
	store.Spec.Gateway = api.GatewaySpec{Port: 80, Instances: ptr.To[int32](1)}
	check(c.Create(ctx, store))
	store.Status = &api.CephObjectStoreStatus{Conditions: []api.Condition{
		{Type: api.ConditionReady, Status: metav1.ConditionTrue, Reason: "AsExpected", LastTransitionTime: ptr.To(metav1.Now())}}}
	check(c.Status().Update(ctx, store))
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: apps}, Provisioner: served + ".ceph.rook.io/bucket",
		Parameters: map[string]string{"objectStoreName": "my-store"}}
	check(c.Create(ctx, class))
	t.Cleanup(func() { _ = c.Delete(context.Background(), class) })
	startOnServer(t, served)

	made := &objectbucket.ObjectBucketClaim{ObjectMeta: metav1.ObjectMeta{Namespace: apps, Name: "photos"},
		Spec: objectbucket.ObjectBucketClaimSpec{StorageClassName: apps, GenerateBucketName: "photo", AdditionalConfig: map[string]string{"maxObjects": "10"}}}
	check(c.Create(ctx, made))
	at := client.ObjectKeyFromObject(made)
	settled := func() bool {
		check(c.Get(ctx, at, made))
		ready := made.Status.ObservedGeneration == made.Generation && len(made.Status.Conditions) > 0 && made.Status.Conditions[0].Status == metav1.ConditionTrue
		return made.Status.Phase == objectbucket.ObjectBucketClaimBound && ready
	}
	await("bound", settled)
	secret, address := &corev1.Secret{}, &corev1.ConfigMap{}
	check(c.Get(ctx, at, secret))
	check(c.Get(ctx, at, address))
	record := &objectbucket.ObjectBucket{}
	check(c.Get(ctx, client.ObjectKey{Name: made.Status.ObjectBucketName}, record))
	if record.Status.Phase != objectbucket.ObjectBucketBound || address.Data["BUCKET_NAME"] != made.Status.BucketName || len(secret.Data) != 2 {
		t.Errorf("ObjectBucket %s, bucket %s, ConfigMap %v, %d keys", record.Status.Phase, made.Status.BucketName, address.Data, len(secret.Data))
	}
	check(c.Get(ctx, at, made))
	made.Spec.AdditionalConfig = map[string]string{"bucketPolicy": somePolicy}
	check(c.Update(ctx, made))
	await("changed", settled)
	check(c.Delete(ctx, made))
	await("gone", func() bool { return apierrors.IsNotFound(c.Get(ctx, at, made)) })
	for _, left := range []client.Object{secret, address, record} {
		if err := c.Get(ctx, client.ObjectKeyFromObject(left), left); !apierrors.IsNotFound(err) {
			t.Errorf("%T is left: %v", left, err)
		}
	}
}
