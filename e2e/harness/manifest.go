package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// exampleImage is the Ceph image that the examples name.
const exampleImage = "quay.io/ceph/ceph:v18.2.7"

// Manifest creates what a file of manifests holds, as kubectl does, with the Ceph
// image that is on the nodes. Edits are pairs of an old text and a new one, each of
// which a person would change in the file.
func (h *Harness) Manifest(t *testing.T, file string, edits ...string) []client.Object {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(body), exampleImage, h.Settings.CephImage())
	for edit := range slices.Chunk(edits, 2) {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("%s holds no %q", file, edit[0])
		}
		text = strings.ReplaceAll(text, edit[0], edit[1])
	}
	var objects []client.Object
	for documents := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		object := &unstructured.Unstructured{}
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if namespaced, err := h.IsObjectNamespaced(object); err == nil && namespaced && object.GetNamespace() == "" {
			object.SetNamespace(metav1.NamespaceDefault)
		}
		h.CreateAll(t, object)
		objects = append(objects, object)
	}
}

// AwaitOf waits for a condition of any object that carries conditions, and
// leaves the object as it was then.
func (h *Harness) AwaitOf(t *testing.T, within time.Duration, obj client.Object, want Expected) *unstructured.Unstructured {
	t.Helper()
	kind, err := apiutil.GVKForObject(obj, h.Scheme())
	if err != nil {
		t.Fatal(err)
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(kind)
	what := fmt.Sprintf("%s %s: %s is %s (%s)", live.GetKind(), obj.GetName(), want.Type, want.Status, want.Reason)
	h.Eventually(t, within, what, func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
			return false, err.Error()
		}
		met, said := want.Met(conditionsOf(live))
		observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		return met && observed == live.GetGeneration(), said
	})
	return live
}

// AwaitReadyOf waits until an object is Ready.
func (h *Harness) AwaitReadyOf(t *testing.T, within time.Duration, obj client.Object) *unstructured.Unstructured {
	t.Helper()
	return h.AwaitOf(t, within, obj, Expected{Type: api.ConditionReady, Status: metav1.ConditionTrue})
}

func conditionsOf(obj *unstructured.Unstructured) []api.Condition {
	items, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	conditions := make([]api.Condition, 0, len(items))
	for _, item := range items {
		fields, _ := item.(map[string]any)
		text := func(name string) string { value, _ := fields[name].(string); return value }
		conditions = append(conditions, api.Condition{
			Type: text("type"), Status: metav1.ConditionStatus(text("status")), Reason: text("reason"), Message: text("message")})
	}
	return conditions
}

// Edit changes a field of an object by a merge patch.
func (h *Harness) Edit(t *testing.T, obj client.Object, patch string) {
	t.Helper()
	if err := h.Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatalf("edit %T %s: %v", obj, obj.GetName(), err)
	}
}
