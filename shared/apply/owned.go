package apply

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// unmarshal keeps integers as int64, as unstructured objects do.
func unmarshal(body []byte, into *map[string]any) error { return utiljson.Unmarshal(body, into) }

// owns tells whether what manager owns of live, through subresource, is exactly
// what desired asks for: applying desired would change nothing.
func owns(live, desired *unstructured.Unstructured, manager, subresource string) bool {
	fields, found := managedFields(live, manager, subresource)
	if !found {
		return false
	}
	owned, _ := extract(fields, live.Object).(map[string]any)
	if subresource == "" {
		delete(owned, "status") // some servers record the empty status that every object begins with
	}
	return same(owned, withoutIdentity(desired.Object))
}

// managedFields returns the FieldsV1 tree of the manager's last apply.
func managedFields(live *unstructured.Unstructured, manager, subresource string) (map[string]any, bool) {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != manager || entry.Subresource != subresource ||
			entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		if entry.APIVersion != live.GetAPIVersion() {
			return nil, false
		}
		fields := map[string]any{}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return nil, false
		}
		return fields, true
	}
	return nil, false
}

// extract returns the part of value that the FieldsV1 tree names. A leaf takes
// the whole value: an atomic list or map, or a scalar.
func extract(fields map[string]any, value any) any {
	children := 0
	for name := range fields {
		if name != "." {
			children++
		}
	}
	if children == 0 {
		return value
	}
	switch typed := value.(type) {
	case map[string]any:
		return extractMap(fields, typed)
	case []any:
		return extractList(fields, typed)
	default:
		return value
	}
}

func extractMap(fields map[string]any, value map[string]any) map[string]any {
	out := map[string]any{}
	for name, sub := range fields {
		field, isField := strings.CutPrefix(name, "f:")
		child, present := value[field]
		if !isField || !present {
			continue
		}
		subtree, _ := sub.(map[string]any)
		if leaf, isMap := child.(map[string]any); isMap && len(subtree) == 0 && len(leaf) > 0 {
			// We applied {}; others filled it. What they put there is theirs,
			// unless the map is atomic: then all of it is ours.
			out[field] = emptyOr{leaf}
			continue
		}
		out[field] = extract(subtree, child)
	}
	return out
}

// emptyOr stands for a map that this manager owns as a whole: either it sent {}
// or it sent exactly this atomic map.
type emptyOr struct{ value map[string]any }

func extractList(fields map[string]any, items []any) []any {
	out := []any{}
	for _, item := range items {
		for name, sub := range fields {
			subtree, _ := sub.(map[string]any)
			if key, ok := strings.CutPrefix(name, "k:"); ok && hasKeys(item, key) {
				out = append(out, extract(subtree, item))
			}
			if text, ok := strings.CutPrefix(name, "v:"); ok && hasValue(item, text) {
				out = append(out, item)
			}
		}
	}
	return out
}

func hasKeys(item any, key string) bool {
	element, isMap := item.(map[string]any)
	keys := map[string]any{}
	if !isMap || unmarshal([]byte(key), &keys) != nil {
		return false
	}
	for name, want := range keys {
		// An element that leaves a key out has the default, as the key has.
		if have, given := element[name]; given && !equality.Semantic.DeepEqual(have, want) {
			return false
		}
	}
	return true
}

func hasValue(item any, text string) bool {
	wrapped := map[string]any{}
	if unmarshal([]byte(`{"v":`+text+`}`), &wrapped) != nil {
		return false
	}
	return equality.Semantic.DeepEqual(wrapped["v"], item)
}

// withoutIdentity drops what is never owned: kind, apiVersion and the name.
func withoutIdentity(object map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range object {
		if name != "apiVersion" && name != "kind" && name != "metadata" {
			out[name] = value
		}
	}
	metadata, _ := object["metadata"].(map[string]any)
	kept := map[string]any{}
	for _, name := range []string{"labels", "annotations", "ownerReferences", "finalizers"} {
		if value, present := metadata[name]; present {
			kept[name] = value
		}
	}
	if len(kept) > 0 {
		out["metadata"] = kept
	}
	return out
}

// same compares owned with desired: maps by key, lists in order. Null and
// absent are the same, because the API server drops nulls.
func same(owned, desired any) bool {
	switch want := desired.(type) {
	case map[string]any:
		return sameMap(owned, want)
	case []any:
		got, isList := owned.([]any)
		return isList && len(got) == len(want) && sameItems(got, want)
	default:
		if whole, isWhole := owned.(emptyOr); isWhole {
			owned = whole.value
		}
		return equality.Semantic.DeepEqual(owned, desired)
	}
}

func sameMap(owned any, want map[string]any) bool {
	if whole, isWhole := owned.(emptyOr); isWhole {
		return len(want) == 0 || sameMap(whole.value, want)
	}
	got, isMap := owned.(map[string]any)
	if !isMap {
		return false
	}
	for name, value := range want {
		if value != nil && !same(got[name], value) {
			return false
		}
	}
	for name := range got {
		if want[name] == nil {
			return false
		}
	}
	return true
}

// sameItems compares in order first; keyed lists may be stored in another
// order than they were sent in, so a different order of equal items is equal.
func sameItems(got, want []any) bool {
	left := slices.Clone(got)
	for _, item := range want {
		at := slices.IndexFunc(left, func(have any) bool { return same(have, item) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}
