//go:build librados && integration

package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
)

// claims is the claim controller with a fake API server and a real gateway.
type claims struct{ *served }

func newClaims(t *testing.T, release string) *claims {
	t.Helper()
	c := &claims{newServed(t, release)}
	c.class("buckets", corev1.PersistentVolumeReclaimDelete, nil)
	c.class("kept", corev1.PersistentVolumeReclaimRetain, nil)
	return c
}

func (c *claims) class(name string, policy corev1.PersistentVolumeReclaimPolicy, more map[string]string) {
	c.t.Helper()
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, ReclaimPolicy: &policy,
		Provisioner: namespace + ".ceph.rook.io/bucket", Parameters: map[string]string{"objectStoreName": "my-store"}}
	for key, value := range more {
		class.Parameters[key] = value
	}
	c.check(c.kube.Create(c.t.Context(), class))
}

func (c *claims) get(name string) *objectbucket.ObjectBucketClaim {
	found := &objectbucket.ObjectBucketClaim{}
	err := c.kube.Get(c.t.Context(), client.ObjectKey{Namespace: "app", Name: name}, found)
	if apierrors.IsNotFound(err) {
		return nil
	}
	c.check(err)
	return found
}

// await lets the service look at a claim until check holds.
func (c *claims) await(what, name string, check func(*objectbucket.ObjectBucketClaim) bool) {
	c.t.Helper()
	begin := time.Now()
	for time.Since(begin) < patience {
		result, err := c.service.Claim.Reconcile(c.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "app", Name: name}})
		found := c.get(name)
		if err == nil && check(found) {
			c.t.Logf("%s after %s", what, time.Since(begin).Round(10*time.Millisecond))
			return
		}
		if err == nil && found != nil && result.RequeueAfter > time.Second {
			c.t.Fatalf("%s: it rests with %+v", what, found.Status.Conditions)
		}
	}
	c.t.Fatalf("%s: not within %s: %+v", what, patience, c.get(name).Status.Conditions)
}

func bound(found *objectbucket.ObjectBucketClaim) bool {
	ready := slices.IndexFunc(found.Status.Conditions, func(one api.Condition) bool { return one.Type == api.ConditionReady })
	return found.Status.Phase == objectbucket.ObjectBucketClaimBound && found.Status.Conditions[ready].Status == metav1.ConditionTrue &&
		found.Status.Conditions[ready].ObservedGeneration == found.Generation
}

// make makes a claim, and waits until it is bound.
func (c *claims) make(name, class string, settings map[string]string) {
	c.t.Helper()
	c.ask(name, class, settings)
	c.await("bound "+name, name, bound)
}

func (c *claims) ask(name, class string, settings map[string]string) {
	c.t.Helper()
	made := &objectbucket.ObjectBucketClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: name, UID: types.UID("5c3b8a2e-" + name), Generation: 1},
		Spec:       objectbucket.ObjectBucketClaimSpec{StorageClassName: class, GenerateBucketName: name, AdditionalConfig: settings},
	}
	c.check(c.kube.Create(c.t.Context(), made))
}

// together lets two workers look at two claims at the same time.
func (c *claims) together(names ...string) {
	c.t.Helper()
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			_, err := c.service.Claim.Reconcile(c.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "app", Name: name}})
			if err != nil {
				c.t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
}

// change changes the settings of a claim, and waits until they are applied.
func (c *claims) change(name string, settings map[string]string) {
	c.t.Helper()
	found := c.get(name)
	found.Generation++
	found.Spec.AdditionalConfig = settings
	c.check(c.kube.Update(c.t.Context(), found))
	c.await(fmt.Sprintf("applied %d settings", len(settings)), name, bound)
}

func (c *claims) end(name string) {
	c.t.Helper()
	c.check(c.kube.Delete(c.t.Context(), c.get(name)))
	c.await("ended "+name, name, func(found *objectbucket.ObjectBucketClaim) bool { return found == nil })
	for _, left := range []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}} {
		if err := c.kube.Get(c.t.Context(), client.ObjectKey{Namespace: "app", Name: name}, left); !apierrors.IsNotFound(err) {
			c.t.Errorf("%T %s is left: %v", left, name, err)
		}
	}
}

// app speaks S3 as an application that uses the claim, and knows its bucket.
func (c *claims) app(name string) (*s3.Client, *string) {
	c.t.Helper()
	secret, config := &corev1.Secret{}, &corev1.ConfigMap{}
	at := client.ObjectKey{Namespace: "app", Name: name}
	c.check(errors.Join(c.kube.Get(c.t.Context(), at, secret), c.kube.Get(c.t.Context(), at, config)))
	return c.gates.As(string(secret.Data["AWS_ACCESS_KEY_ID"]), string(secret.Data["AWS_SECRET_ACCESS_KEY"])), ptr.To(config.Data["BUCKET_NAME"])
}

// quiet wants a review of the claim to change nothing.
func (c *claims) quiet(name string) {
	c.t.Helper()
	c.clock.forward(11 * time.Minute)
	c.took()
	c.await("reviewed", name, bound)
	if changes := c.took(); len(changes) > 0 {
		c.t.Errorf("a review of what is right changes %v", changes)
	}
}

// left wants no bucket and no user but those named.
func (c *claims) left(buckets []string, users ...string) {
	c.t.Helper()
	found, err := c.gates.Buckets(c.t.Context())
	c.check(err)
	if !slices.Equal(found, buckets) {
		c.t.Errorf("buckets %v are left, want %v", found, buckets)
	}
	for _, uid := range users {
		if _, err := c.gates.User(c.t.Context(), uid); !errors.Is(err, ops.ErrNotFound) {
			c.t.Errorf("user %s: %v", uid, err)
		}
	}
}

// TestAClaimLivesWithARealGateway makes what claims ask for, changes it and removes it.
func TestAClaimLivesWithARealGateway(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			c := newClaims(t, release)
			for _, story := range []struct {
				name string
				tell func()
			}{{"settings", c.settings}, {"owners", c.owners}, {"deletion", c.deletion}, {"sharing", c.sharing}} {
				t.Run(story.name, func(t *testing.T) {
					defer c.in(t)()
					story.tell()
				})
			}
		})
	}
}

func (c *claims) settings() {
	ctx := c.t.Context()
	reader := c.user("reader")
	policy := `{"Version":"2012-10-17","Statement":[{"Sid":"read","Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/reader"]},` +
		`"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::photos-5c3b8a2e-photos/*"]}]}`
	lifecycle := `{"Rules":[{"ID":"old","Status":"Enabled","Prefix":"","Expiration":{"Days":30}},` +
		`{"Status":"Enabled","Filter":{"Prefix":"tmp/"},"Expiration":{"Days":1},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":2}},` +
		`{"Status":"Disabled","Filter":{},"NoncurrentVersionExpiration":{"NoncurrentDays":7}}]}`
	c.make("photos", "buckets", map[string]string{"bucketMaxObjects": "2", "maxSize": "1000000", "bucketPolicy": policy, "bucketLifecycle": lifecycle})
	app, name := c.app("photos")
	c.check(put(ctx, app, name, "a"))
	c.check(put(ctx, app, name, "b"))
	if err := put(ctx, app, name, "c"); !errors.Is(err, ops.ErrQuota) {
		c.t.Errorf("an object too many: %v", err)
	}
	c.check(fetch(ctx, reader, name, "a"))
	if err := put(ctx, reader, name, "d"); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("a reader writes: %v", err)
	}
	if _, err := app.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("another")}); err == nil {
		c.t.Error("the application makes another bucket")
	}
	c.quiet("photos")

	c.change("photos", map[string]string{"bucketMaxObjects": "3", "maxSize": "1000000"})
	c.check(put(ctx, app, name, "c"))
	if err := fetch(ctx, reader, name, "a"); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("after the policy is gone: %v", err)
	}
	if _, err := app.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name}); !errors.Is(err, ops.ErrNotFound) {
		c.t.Errorf("the lifecycle: %v", err)
	}
	c.change("photos", nil)
	c.check(put(ctx, app, name, "d"))
	c.quiet("photos")

	denied := strings.Replace(strings.Replace(policy, "Allow", "Deny", 1), `{"AWS":["arn:aws:iam:::user/reader"]}`, `"*"`, 1)
	c.change("photos", map[string]string{"bucketPolicy": strings.Replace(denied, `"s3:GetObject"`, `"s3:GetObject","s3:DeleteObject","s3:ListBucketVersions"`, 1)})
	c.end("photos")
	c.left([]string{}, "obc-app-photos-5c3b8a2e-photos")
	c.check(c.gates.RemoveUser(ctx, "reader"))
}

func (c *claims) owners() {
	ctx := c.t.Context()
	team := c.user("team")
	c.make("data", "buckets", map[string]string{"bucketOwner": "team", "bucketMaxObjects": "5"})
	app, name := c.app("data")
	c.check(put(ctx, app, name, "a"))
	c.check(fetch(ctx, team, name, "a"))
	c.left([]string{*name}, "obc-app-data-5c3b8a2e-data")
	c.quiet("data")
	_, err := app.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("a")})
	c.check(err)
	c.change("data", nil)
	app, _ = c.app("data")
	c.check(put(ctx, app, name, "b"))
	c.check(fetch(ctx, app, name, "b"))
	if err := put(ctx, team, name, "c"); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("who owned it before writes: %v", err)
	}
	_, err = app.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("b")})
	c.check(err)
	c.change("data", map[string]string{"bucketOwner": "team"})
	c.check(put(ctx, team, name, "c"))
	c.quiet("data")
	c.end("data")
	c.left([]string{}, "obc-app-data-5c3b8a2e-data")
	c.check(c.gates.RemoveUser(ctx, "team"))
}

// fill puts about three thousand versions into a bucket, delete marks, names that XML
// cannot hold, and uploads that were never finished.
func (c *claims) fill(app *s3.Client, name *string) {
	ctx := c.t.Context()
	_, err := app.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: name,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	c.check(err)
	keys := []string{"a b", "a+b", "a&<b>\"", "ümlaut/ß", "line\nbreak", "bell\abell", "%41", "dir/", "-"}
	for i := range 1450 {
		keys = append(keys, fmt.Sprintf("object-%04d", i))
	}
	work := make(chan string)
	failed := make(chan error, 16)
	for range cap(failed) {
		go func() {
			var all error
			for key := range work {
				all = errors.Join(all, put(ctx, app, name, key), put(ctx, app, name, key))
			}
			failed <- all
		}()
	}
	for _, key := range keys {
		work <- key
	}
	close(work)
	for range cap(failed) {
		c.check(<-failed)
	}
	for _, key := range keys[:100] {
		_, err := app.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: &key})
		c.check(err)
	}
	for _, key := range []string{"big", "big", "a b&"} {
		begun, err := app.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: &key})
		c.check(err)
		_, err = app.UploadPart(ctx, &s3.UploadPartInput{Bucket: name, Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")})
		c.check(err)
	}
}

func (c *claims) deletion() {
	ctx := c.t.Context()
	c.make("large", "buckets", nil)
	app, name := c.app("large")
	c.fill(app, name)
	full, err := c.gates.Bucket(ctx, *name)
	c.check(err)
	c.check(c.kube.Delete(ctx, c.get("large")))

	// The service stops in the middle.
	stopping, stop := context.WithCancel(ctx)
	batches := 0
	c.emptied = func() {
		if batches++; batches > 2 {
			stop()
		}
	}
	for stopping.Err() == nil {
		_, _ = c.service.Claim.Reconcile(stopping, ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "app", Name: "large"}})
	}
	c.emptied = nil
	c.restart()
	half, err := c.gates.Bucket(ctx, *name)
	c.check(err)
	before, after := ptr.Deref(full.Usage.RgwMain.NumObjects, 0), ptr.Deref(half.Usage.RgwMain.NumObjects, 0)
	if before < 2000 || after == 0 || after >= before {
		c.t.Errorf("%d objects before and %d after the service was stopped", before, after)
	}
	if c.get("large") == nil {
		c.t.Error("the claim is gone")
	}
	c.await("ended large", "large", func(found *objectbucket.ObjectBucketClaim) bool { return found == nil })
	c.left([]string{}, "obc-app-large-5c3b8a2e-large")
	var records objectbucket.ObjectBucketList
	c.check(c.kube.List(ctx, &records))
	if len(records.Items) > 0 {
		c.t.Errorf("left: %+v", records.Items)
	}
}

func (c *claims) sharing() {
	ctx := c.t.Context()
	c.make("archive", "kept", nil)
	app, name := c.app("archive")
	c.check(put(ctx, app, name, "a"))
	c.end("archive")
	if err := fetch(ctx, app, name, "a"); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("the application still reads: %v", err)
	}
	owner := "obc-app-archive-5c3b8a2e-archive"

	c.class("shared", corev1.PersistentVolumeReclaimDelete, map[string]string{"bucketName": *name})
	c.ask("one", "shared", nil)
	c.ask("two", "shared", nil)
	c.together("one", "two")
	c.await("bound one", "one", bound)
	c.await("bound two", "two", bound)
	one, _ := c.app("one")
	two, _ := c.app("two")
	c.check(errors.Join(fetch(ctx, one, name, "a"), put(ctx, one, name, "b"), fetch(ctx, two, name, "b")))
	if _, err := one.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name}); err == nil {
		c.t.Error("who shares a bucket deletes it")
	}
	if _, err := one.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String("{}")}); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("who shares a bucket sets its policy: %v", err)
	}
	c.end("one")
	if err := fetch(ctx, one, name, "a"); !errors.Is(err, ops.ErrDenied) {
		c.t.Errorf("who shared the bucket still reads: %v", err)
	}
	c.check(fetch(ctx, two, name, "a"))
	c.end("two")
	c.left([]string{*name}, "obc-app-one-5c3b8a2e-one", "obc-app-two-5c3b8a2e-two")
	found, err := c.gates.User(ctx, owner)
	c.check(err)
	if len(found.Keys) > 0 {
		c.t.Errorf("the owner of the bucket that was kept has %d keys", len(found.Keys))
	}
	c.check(c.gates.AddKey(ctx, owner, "AGAIN", "secret"))
	if _, err := c.gates.As("AGAIN", "secret").GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name}); !errors.Is(err, ops.ErrNotFound) {
		c.t.Errorf("the policy: %v", err)
	}
}
