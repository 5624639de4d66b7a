package queue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/shared/queue"
)

func TestAChangeBringsBackItsNeighboursOrAll(t *testing.T) {
	secret := func(namespace, name string) client.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	reader := fake.NewClientBuilder().WithObjects(secret("a", "one"), secret("a", "two"), secret("b", "three")).Build()
	changed := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pod"}}
	at := func(namespace, name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
	}
	want := []reconcile.Request{at("a", "one"), at("a", "two")}
	if diff := cmp.Diff(want, queue.Beside(reader, &corev1.SecretList{})(t.Context(), changed)); diff != "" {
		t.Errorf("beside (-want +got):\n%s", diff)
	}
	want = append(want, at("b", "three"))
	if diff := cmp.Diff(want, queue.All(reader, &corev1.SecretList{})(t.Context(), changed)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
}
