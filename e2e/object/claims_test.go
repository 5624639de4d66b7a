//go:build e2e

package object

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
)

// claim tells of a bucket that an application asks for, in a namespace of its own
// choice, and that goes with all that is in it when the claim does.
func claim(t *testing.T, h *harness.Harness) {
	class := h.Manifest(t, filepath.Join(examples, "storageclass-bucket-delete.yaml"))[0]
	wanted := h.Manifest(t, filepath.Join(examples, "object-bucket-claim-delete.yaml"))[0]
	bound := h.AwaitReadyOf(t, soon, wanted)
	if phase, _, _ := unstructured.NestedString(bound.Object, "status", "phase"); phase != "Bound" {
		t.Errorf("a claim that is Ready has phase %q", phase)
	}
	address, keys := &corev1.ConfigMap{}, &corev1.Secret{}
	key := client.ObjectKeyFromObject(bound)
	for _, beside := range []client.Object{address, keys} {
		if err := h.Get(t.Context(), key, beside); err != nil {
			t.Fatal(err)
		}
	}
	store := harness.Store{
		URL:    fmt.Sprintf("http://%s:%s", address.Data["BUCKET_HOST"], address.Data["BUCKET_PORT"]),
		Access: string(keys.Data["AWS_ACCESS_KEY_ID"]), Secret: string(keys.Data["AWS_SECRET_ACCESS_KEY"]),
	}
	c, bucket := h.S3(store), aws.String(address.Data["BUCKET_NAME"])
	put(t, c, bucket, "dir/a", "of a claim")
	if body, err := get(t.Context(), c, bucket, "dir/a"); body != "of a claim" {
		t.Errorf("got %q (%v)", body, err)
	}
	h.Remove(t, born, bound)
	for _, beside := range []client.Object{address, keys} {
		h.Gone(t, soon, beside)
	}
	h.Remove(t, soon, class)
	left, err := h.Shell(t, "radosgw-admin bucket list"+zone+"; radosgw-admin user list"+zone)
	if err != nil || strings.Contains(left, *bucket) || strings.Contains(left, "obc-default-") {
		t.Errorf("after the claim went, the store holds %s (%v)", left, err)
	}
}

// refuseClaim asks for a bucket that cannot be had: the claim says why, and nothing is
// made for it.
func refuseClaim(t *testing.T, h *harness.Harness, store string, config map[string]string, want harness.Expected) {
	t.Helper()
	class := &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "story-refused"}, Provisioner: harness.Namespace + ".ceph.rook.io/bucket",
		Parameters: map[string]string{"objectStoreName": store, "objectStoreNamespace": harness.Namespace},
	}
	wanted := &objectbucket.ObjectBucketClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "story-refused"},
		Spec: objectbucket.ObjectBucketClaimSpec{
			StorageClassName: class.Name, GenerateBucketName: "story-refused", AdditionalConfig: config},
	}
	h.CreateAll(t, class, wanted)
	h.AwaitOf(t, soon, wanted, want)
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(wanted), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("a claim without a bucket has a Secret (%v)", err)
	}
	made, err := h.Shell(t, "radosgw-admin bucket list"+zone+"; radosgw-admin user list"+zone)
	if err != nil || strings.Contains(made, "story-refused") {
		t.Errorf("for a claim that is refused there is %s (%v)", made, err)
	}
	h.Remove(t, soon, wanted)
	h.Remove(t, soon, class)
}
