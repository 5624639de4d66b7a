package apply_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/apply"
)

// writtenBy makes the ConfigMap as a program makes it that knows nothing of apply.
func writtenBy(t *testing.T, c client.Client, manager string, data map[string]string) {
	t.Helper()
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: namespace}}
	err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
	obj.Data = data
	if apierrors.IsNotFound(err) {
		err = c.Create(t.Context(), obj, client.FieldOwner(manager))
	} else if err == nil {
		err = c.Update(t.Context(), obj, client.FieldOwner(manager))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, c client.Reader) *corev1.ConfigMap {
	t.Helper()
	got := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "settings"}, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSetRemovesWhatRookWroteAndNobodyElseDid(t *testing.T) {
	c, writes := counting(t, owner())
	writtenBy(t, c, "rook", map[string]string{"a": "1", "old": "x"})
	writtenBy(t, c, "kubectl-edit", map[string]string{"a": "1", "old": "x", "by hand": "y"})
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	want := config(map[string]string{"a": "1"})
	for pass, count := range []int{2, 0} { // the owner of fields, then the fields
		settled, err := a.Settled(t.Context(), owner(), want)
		if err != nil || settled != (count == 0) {
			t.Errorf("pass %d: settled: %t, %v", pass, settled, err)
		}
		*writes = 0
		if err := a.Set(t.Context(), owner(), want); err != nil {
			t.Fatal(err)
		}
		if *writes != count {
			t.Errorf("pass %d: got %d writes, want %d", pass, *writes, count)
		}
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "by hand": "y"}, stored(t, c).Data); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsTakeNothingOver(t *testing.T) {
	c, _ := counting(t)
	writtenBy(t, c, "rook", map[string]string{"a": "1"})
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	if err := a.Fields(t.Context(), stored(t, c), map[string]any{"data": map[string]any{"b": "2"}}); err != nil {
		t.Fatal(err)
	}
	got := stored(t, c)
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, got.Data); diff != "" {
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
	late := reading{c, func(obj client.Object) error { before.DeepCopyInto(obj.(*corev1.ConfigMap)); return nil }}
	err := apply.Applier{Client: late, Manager: "mon-manager.quorum"}.Set(t.Context(), nil, config(map[string]string{"a": "1"}))
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
	narrow := reading{c, func(client.Object) error { return apierrors.NewNotFound(schema.GroupResource{}, "settings") }}
	a := apply.Applier{Client: narrow, Live: c, Manager: "mon-manager.quorum"}
	for _, want := range []int{2, 0} {
		*writes = 0
		if err := a.Set(t.Context(), nil, config(map[string]string{"a": "1"})); err != nil {
			t.Fatal(err)
		}
		if *writes != want {
			t.Errorf("got %d writes, want %d", *writes, want)
		}
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, stored(t, c).Data); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheCacheHasIsNotReadAgain(t *testing.T) {
	c, _ := counting(t)
	writtenBy(t, c, "rook", map[string]string{"old": "x"})
	errAsked := errors.New("asked")
	never := reading{c, func(client.Object) error { return errAsked }}
	a := apply.Applier{Client: c, Live: never, Manager: "mon-manager.quorum"}
	if err := a.Set(t.Context(), nil, config(map[string]string{"a": "1"})); err != nil {
		t.Error(err)
	}
}
