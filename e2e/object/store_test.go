//go:build e2e

package object

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const (
	examples = "../../services/rgw-manager/examples"
	// name of the store of the examples, and so of its realm, zone group and zone.
	name = "my-store"
	zone = " --rgw-realm=" + name + " --rgw-zonegroup=" + name + " --rgw-zone=" + name
	// born is how long a store may take from nothing, with its pools.
	born = 2 * time.Minute
	// soon is how long a service may take to say what is wrong.
	soon = 40 * time.Second
)

func TestAStoreServesPeopleUntilTheirLastBucketIsGone(t *testing.T) {
	h := harness.New(t)
	before := traces(t, h)
	store := h.Manifest(t, filepath.Join(examples, "object.yaml"))[0]
	h.AwaitReadyOf(t, born, store)
	alice := h.Manifest(t, filepath.Join(examples, "object-user.yaml"))[0]
	bob := newUser("bob", name)
	bob.Spec.Quotas = &api.ObjectUserQuotaSpec{MaxObjects: ptr.To[int64](3)}
	h.CreateAll(t, bob)
	scale(t, h, store, 2)
	keys, others := keysOf(t, h, alice), keysOf(t, h, bob)

	t.Run("S3", func(t *testing.T) { speakS3(t, h, keys, others) })
	t.Run("a quota", func(t *testing.T) { exceed(t, h.S3(others)) })
	t.Run("s3cmd", func(t *testing.T) { useS3cmd(t, h, keys) })
	t.Run("swift", func(t *testing.T) { useSwift(t, h, keys, alice.GetName()) })
	t.Run("a bucket claim", func(t *testing.T) { claim(t, h) })
	t.Run("a gateway dies", func(t *testing.T) { loseGateway(t, h, keys) })
	t.Run("requests that cannot be met", func(t *testing.T) { refuse(t, h, keys) })
	t.Run("buckets block the deletion", func(t *testing.T) {
		bucket := aws.String("story-last")
		must(t, "make a bucket")(h.S3(keys).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
		for _, obj := range []client.Object{store, alice, bob} {
			if err := h.Delete(t.Context(), obj); err != nil {
				t.Fatal(err)
			}
		}
		h.AwaitOf(t, soon, store, harness.Expected{
			Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Words: []string{*bucket}})
		put(t, h.S3(keys), bucket, "still", "here")
		empty(t, h.S3(keys), bucket)
		for _, obj := range []client.Object{alice, bob, store} {
			h.Gone(t, born, obj)
		}
		h.Eventually(t, soon, "nothing of the store is left", func(context.Context) (bool, string) {
			left := slices.DeleteFunc(traces(t, h), func(trace string) bool { return slices.Contains(before, trace) || !ofStores.MatchString(trace) })
			return len(left) == 0, strings.Join(left, ", ")
		})
	})
}

func newStore(name string) *api.CephObjectStore {
	pool := api.PoolSpec{FailureDomain: "host"}
	pool.Replicated.Size = 3
	return &api.CephObjectStore{
		ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: name},
		Spec: api.ObjectStoreSpec{
			MetadataPool: &pool, DataPool: pool.DeepCopy(), Gateway: api.GatewaySpec{Port: 80, Instances: ptr.To[int32](1)}},
	}
}

func newUser(name, store string) *api.CephObjectStoreUser {
	return &api.CephObjectStoreUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: name},
		Spec:       api.ObjectStoreUserSpec{Store: store, DisplayName: name},
	}
}

func keysOf(t *testing.T, h *harness.Harness, user client.Object) harness.Store {
	t.Helper()
	return h.StoreOf(t, h.AwaitReadyOf(t, soon, user))
}

// gateways are those of the story's store that serve now.
func gateways(t *testing.T, h *harness.Harness) []corev1.Pod {
	t.Helper()
	return slices.DeleteFunc(h.Daemons(t).Of("rgw"), func(pod corev1.Pod) bool { return pod.Labels["rook_object_store"] != name })
}

// scale changes the number of gateways through the subresource, as kubectl scale
// does.
func scale(t *testing.T, h *harness.Harness, store client.Object, count int32) {
	t.Helper()
	wanted := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: count}}
	if err := h.SubResource("scale").Update(t.Context(), store, client.WithSubResourceBody(wanted)); err != nil {
		t.Fatal(err)
	}
	h.Eventually(t, born, fmt.Sprintf("%d gateways serve", count), func(context.Context) (bool, string) {
		running := len(gateways(t, h))
		return running == int(count), fmt.Sprintf("%d do", running)
	})
	h.AwaitReadyOf(t, soon, store)
}

// exceed stores objects until the user may keep no more. Gateways notice some
// seconds late.
func exceed(t *testing.T, c *s3.Client) {
	bucket := aws.String("story-quota")
	must(t, "make a bucket")(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	for i := range 20 {
		key := fmt.Sprint("object-", i)
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("x")})
		if code(err) == "QuotaExceeded" {
			empty(t, c, bucket)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("20 objects were stored with a quota of 3")
	empty(t, c, bucket)
}

// ofStores is what names of anything have that is part of an object store; the rest is
// the business of stories that are told beside this one.
var ofStores = regexp.MustCompile(`rgw|my.store|object|alice|bob`)

// traces are the names of all that a store leaves somewhere: pools, identities,
// realms and Secrets.
func traces(t *testing.T, h *harness.Harness) []string {
	t.Helper()
	said, err := h.Shell(t, "ceph osd pool ls; ceph auth ls --format plain 2>/dev/null | grep '^client'; radosgw-admin realm list 2>/dev/null || true")
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Split(said, "\n")
	secrets := corev1.SecretList{}
	if err := h.List(t.Context(), &secrets, client.InNamespace(harness.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets.Items {
		found = append(found, "Secret "+secret.Name)
	}
	return found
}
