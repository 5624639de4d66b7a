package apply_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/apply"
)

// writtenBy makes the Service as a program makes it that knows nothing of apply.
func writtenBy(t *testing.T, c client.Client, manager string, notes map[string]string) {
	t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Service"))
	obj.SetNamespace(namespace)
	obj.SetName("mon")
	err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
	obj.SetAnnotations(notes)
	if apierrors.IsNotFound(err) {
		err = c.Create(t.Context(), obj, client.FieldOwner(manager))
	} else if err == nil {
		err = c.Update(t.Context(), obj, client.FieldOwner(manager))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func service(notes map[string]string) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service("mon", namespace).WithAnnotations(notes)
}

func stored(t *testing.T, c client.Reader) *corev1.Service {
	t.Helper()
	got := &corev1.Service{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "mon"}, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSetRemovesWhatRookWroteAndNobodyElseDid(t *testing.T) {
	c, writes := counting(t, owner())
	writtenBy(t, c, "rook", map[string]string{"a": "1", "old": "x"})
	writtenBy(t, c, "kubectl-edit", map[string]string{"a": "1", "old": "x", "by hand": "y"})
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	want := service(map[string]string{"a": "1"})
	settled, err := a.Settled(t.Context(), owner(), want)
	if err != nil || settled {
		t.Errorf("settled: %t, %v", settled, err)
	}
	if err := a.Set(t.Context(), owner(), want); err != nil {
		t.Fatal(err)
	}
	if *writes != 2 { // the owner of fields, then the fields
		t.Errorf("got %d writes, want 2", *writes)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "by hand": "y"}, stored(t, c).Annotations); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsTakeNothingOver(t *testing.T) {
	c, _ := counting(t)
	writtenBy(t, c, "rook", map[string]string{"a": "1"})
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	if err := a.Fields(t.Context(), stored(t, c), map[string]any{"metadata": map[string]any{"name": "mon", "namespace": namespace, "annotations": map[string]any{"b": "2"}}}); err != nil {
		t.Fatal(err)
	}
	got := stored(t, c)
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, got.Annotations); diff != "" {
		t.Error(diff)
	}
	for _, entry := range got.ManagedFields {
		if entry.Manager == "rook" {
			return
		}
	}
	t.Errorf("rook owns nothing any more: %v", got.ManagedFields)
}

// A cache that lags behind shows an object that somebody has changed since.
func TestNothingIsTakenOverOfAnObjectThatChangedMeanwhile(t *testing.T) {
	c, writes := counting(t)
	writtenBy(t, c, "rook", map[string]string{"a": "1"})
	before := stored(t, c)
	writtenBy(t, c, "rook", map[string]string{"a": "1", "b": "2"})
	late := reading{c, func(obj client.Object) error { before.DeepCopyInto(obj.(*corev1.Service)); return nil }}
	err := apply.Applier{Client: late, Manager: "mon-manager.quorum"}.Set(t.Context(), nil, service(map[string]string{"a": "1"}))
	if !apierrors.IsConflict(err) || *writes != 1 {
		t.Errorf("got %d writes and %v, want one and a conflict", *writes, err)
	}
}

// reading is a client whose reads are answered by get.
type reading struct {
	client.Client
	get func(client.Object) error
}

func (r reading) Get(_ context.Context, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	return r.get(obj)
}

func TestWhatTheCacheDoesNotHaveIsReadPastIt(t *testing.T) {
	c, writes := counting(t)
	writtenBy(t, c, "rook", map[string]string{"old": "x"})
	narrow := reading{c, func(client.Object) error { return apierrors.NewNotFound(schema.GroupResource{}, "mon") }}
	a := apply.Applier{Client: narrow, Live: c, Manager: "mon-manager.quorum"}
	if err := a.Set(t.Context(), nil, service(map[string]string{"a": "1"})); err != nil {
		t.Fatal(err)
	}
	if *writes != 2 {
		t.Errorf("got %d writes, want 2", *writes)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, stored(t, c).Annotations); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheCacheHasIsNotReadAgain(t *testing.T) {
	c, _ := counting(t)
	writtenBy(t, c, "rook", map[string]string{"old": "x"})
	errAsked := errors.New("asked")
	never := reading{c, func(client.Object) error { return errAsked }}
	a := apply.Applier{Client: c, Live: never, Manager: "mon-manager.quorum"}
	if err := a.Set(t.Context(), nil, service(map[string]string{"a": "1"})); err != nil {
		t.Error(err)
	}
}

// The keys of an identity that Rook wrote and we do not know stay.
func TestNoKeyOfASecretIsTakenAway(t *testing.T) {
	c, writes := counting(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys", Namespace: namespace}, Data: map[string][]byte{"a": []byte("1"), "old": []byte("x")}}
	if err := c.Create(t.Context(), secret, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	a := apply.Applier{Client: c, Manager: "mon-manager.identity"}
	for _, want := range []int{1, 0} {
		*writes = 0
		if err := a.Set(t.Context(), nil, corev1ac.Secret("keys", namespace).WithData(map[string][]byte{"a": []byte("1")})); err != nil {
			t.Fatal(err)
		}
		if *writes != want {
			t.Errorf("got %d writes, want %d", *writes, want)
		}
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
		t.Fatal(err)
	}
	if len(secret.Data) != 2 {
		t.Errorf("%d keys are left, want 2", len(secret.Data))
	}
}
