//go:build e2e

package object

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// refuse asks for what cannot be, beside a store that serves all the time.
func refuse(t *testing.T, h *harness.Harness, taken harness.Store) {
	t.Run("a certificate that is missing", func(t *testing.T) {
		store := newStore("story-tls")
		store.Spec.Gateway.SecurePort, store.Spec.Gateway.SSLCertificateRef = 443, "no-such-certificate"
		assertRefused(t, h, store, harness.Expected{
			Type: api.ConditionReady, Status: metav1.ConditionFalse, Reason: api.ReasonSecretMissing, Words: []string{"no-such-certificate"}})
	})
	t.Run("a user of an unknown store", func(t *testing.T) {
		lost := newUser("lost", "nowhere")
		h.CreateAll(t, lost)
		h.AwaitOf(t, soon, lost, harness.Expected{
			Type: api.ConditionReady, Status: metav1.ConditionFalse, Reason: api.ReasonParentMissing, Words: []string{"nowhere"}})
		h.Remove(t, soon, lost)
	})
	t.Run("an access key that another user has", func(t *testing.T) {
		keys := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: "story-stolen"},
			StringData: map[string]string{"access": taken.Access, "secret": "not-that-of-the-other"},
		}
		h.CreateAll(t, keys)
		thief := newUser("thief", name)
		of := func(key string) *corev1.SecretKeySelector {
			return &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: keys.Name}, Key: key}
		}
		thief.Spec.Keys = []api.ObjectUserKey{{AccessKeyRef: of("access"), SecretKeyRef: of("secret")}}
		assertRefused(t, h, thief, harness.Expected{
			Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonKeyTaken})
		h.Remove(t, soon, keys)
	})
	t.Run("a claim to an unknown store", func(t *testing.T) {
		refuseClaim(t, h, "nowhere", nil, harness.Expected{
			Type: api.ConditionReady, Status: metav1.ConditionFalse, Reason: api.ReasonParentMissing, Words: []string{"nowhere"}})
	})
	t.Run("a quota of zero", func(t *testing.T) {
		refuseClaim(t, h, name, map[string]string{"maxObjects": "0"}, harness.Expected{
			Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonInvalidSpec, Words: []string{"maxObjects", "more than 0"}})
	})
	t.Run("a name that is taken", func(t *testing.T) {
		pool := api.PoolSpec{}
		pool.Replicated.Size = 3
		owner := &api.CephObjectZone{
			ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: "story-taken"},
			Spec:       api.ObjectZoneSpec{ZoneGroup: "nowhere", MetadataPool: &pool, DataPool: pool.DeepCopy()},
		}
		h.CreateAll(t, owner)
		assertRefused(t, h, newStore(owner.Name), harness.Expected{
			Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonNameTaken, Words: []string{"CephObjectZone", owner.Name}})
		h.Remove(t, soon, owner)
	})
	must(t, "the rightful user still gets in")(h.S3(taken).ListBuckets(t.Context(), &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)}))
}

// assertRefused makes an object, waits until it says why it cannot be, with one
// event, and takes it away again.
func assertRefused(t *testing.T, h *harness.Harness, obj client.Object, want harness.Expected) {
	t.Helper()
	mark := h.Mark(t)
	h.CreateAll(t, obj)
	h.AwaitOf(t, soon, obj, want)
	h.AwaitOneWarning(t, mark, obj, want.Reason, want.Words...)
	h.Remove(t, soon, obj)
}
