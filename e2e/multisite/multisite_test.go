//go:build e2e

package multisite

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const (
	examples = "../../services/rgw-manager/examples"
	// born is how long a realm and its store may take from nothing.
	born = 3 * time.Minute
	// copied is how long an object may take to the other zone. Gateways that hear of
	// nothing look every 20 s.
	copied = 2 * time.Minute
	bucket = "story-zones"
)

func TestTwoClustersKeepTheSameObjects(t *testing.T) {
	h := harness.New(t)
	before := h.Daemons(t)
	cluster, disk := beginSecond(t, h)

	here := h.Manifest(t, filepath.Join(examples, "object-multisite.yaml"))
	h.AwaitReadyOf(t, born, here[3])
	user := &api.CephObjectStoreUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: "traveller"},
		Spec:       api.ObjectStoreUserSpec{Store: here[3].GetName(), DisplayName: "Traveller"},
	}
	h.CreateAll(t, user)
	first := h.StoreOf(t, h.AwaitReadyOf(t, born, user))

	giveKeys(t, h)
	there := h.Manifest(t, filepath.Join(examples, "object-multisite-pull.yaml"),
		"namespace: rook-ceph", "namespace: "+second,
		"http://10.2.105.133:80", first.URL,
		"failureDomain: host", "failureDomain: osd",
		"size: 3", "size: 1\n      requireSafeReplicaSize: false")
	h.AwaitReadyOf(t, born, there[3])
	other := first
	other.URL = fmt.Sprintf("http://rook-ceph-rgw-%s.%s.svc:80", there[3].GetName(), second)

	if _, err := h.S3(first).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	travel(t, h, first, other, "from-a")
	travel(t, h, other, first, "from-b")
	awaitSync(t, h, here[2], "data zone-b")
	awaitSync(t, h, there[2], "metadata zone-a", "data zone-a")

	remove(t, h, there)
	endSecond(t, h, cluster, disk)
	empty(t, h.S3(first), "from-a", "from-b")
	h.Remove(t, born, user)
	h.Edit(t, here[2], `{"spec":{"preservePoolsOnDelete":false}}`)
	remove(t, h, here)
	before.AssertUntouched(t, h.Daemons(t))
}

// giveKeys takes the keys of the realm to the other cluster, as a person has to.
func giveKeys(t *testing.T, h *harness.Harness) {
	t.Helper()
	keys := &corev1.Secret{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: "realm-a-keys"}, keys); err != nil {
		t.Fatal(err)
	}
	h.CreateAll(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: second, Name: keys.Name}, Data: keys.Data})
}

// travel writes an object to one zone and reads it from the other. A bucket or a user
// that was made elsewhere may take a while to be known.
func travel(t *testing.T, h *harness.Harness, from, to harness.Store, key string) {
	t.Helper()
	h.Eventually(t, copied, key+" is written", func(ctx context.Context) (bool, string) {
		_, err := h.S3(from).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(key)})
		return err == nil, fmt.Sprint(err)
	})
	h.Eventually(t, copied, key+" is in the other zone", func(ctx context.Context) (bool, string) {
		found, err := h.S3(to).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			return false, err.Error()
		}
		defer func() { _ = found.Body.Close() }()
		body, err := io.ReadAll(found.Body)
		return err == nil && string(body) == key, fmt.Sprintf("%q, %v", body, err)
	})
}

// awaitSync waits until a zone says that it has all that these sources have.
func awaitSync(t *testing.T, h *harness.Harness, zone client.Object, sources ...string) {
	t.Helper()
	live := &api.CephObjectZone{}
	h.Eventually(t, copied, zone.GetName()+" has caught up", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(zone), live); err != nil {
			return false, err.Error()
		}
		sync := live.Status.Sync
		if sync == nil {
			return false, "nothing is said"
		}
		var of []string
		for _, source := range sync.Sources {
			of = append(of, source.Kind+" "+source.Zone)
		}
		said := strings.Join(of, ", ")
		return sync.State == api.ObjectSyncCaughtUp && said == strings.Join(sources, ", "), fmt.Sprintf("%s of %s", sync.State, said)
	})
}

// empty removes the objects and the bucket: its user stays as long as it has any.
func empty(t *testing.T, c *s3.Client, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
}

// remove deletes store, zone, zone group and realm at once: each waits for those in it.
func remove(t *testing.T, h *harness.Harness, objs []client.Object) {
	t.Helper()
	for _, obj := range objs {
		if err := h.Delete(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	for _, obj := range objs {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
		live.SetNamespace(obj.GetNamespace())
		live.SetName(obj.GetName())
		h.Gone(t, born, live)
	}
}
