package testenv

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// statusSuffix marks, inside of the fake, what a manager applied to a status.
const statusSuffix = "/status"

// answer gives obj the resource version that is stored, as a server's answer to
// an apply does.
func answer(ctx context.Context, c client.Client, obj runtime.ApplyConfiguration) error {
	sent, ok := obj.(client.Object)
	if !ok {
		return nil
	}
	stored := &unstructured.Unstructured{}
	stored.SetGroupVersionKind(sent.GetObjectKind().GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(sent), stored)
	sent.SetResourceVersion(stored.GetResourceVersion())
	return client.IgnoreNotFound(err)
}

// Apart makes the client of Fake keep what a manager applied to a status apart
// from what it applied to the rest, as a server does. The fake itself has one
// record for both, in which one erases the other. What next intercepts is
// called first.
func Apart(next interceptor.Funcs) interceptor.Funcs {
	out := next
	out.SubResourceApply = func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
		options := &client.SubResourceApplyOptions{}
		options.ApplyOpts(opts)
		opts = append(slices.Clone(opts), client.FieldOwner(options.FieldManager+statusSuffix))
		var err error
		if next.SubResourceApply != nil {
			err = next.SubResourceApply(ctx, c, sub, obj, opts...)
		} else {
			err = c.SubResource(sub).Apply(ctx, obj, opts...)
		}
		if err != nil {
			return err
		}
		return answer(ctx, c, obj)
	}
	out.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
		err := get(ctx, next, c, key, obj, opts...)
		obj.SetManagedFields(outward(obj.GetManagedFields()))
		return err
	}
	out.List = func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if err := listWith(ctx, next, c, list, opts...); err != nil {
			return err
		}
		return meta.EachListItem(list, func(item runtime.Object) error {
			if obj, ok := item.(client.Object); ok {
				obj.SetManagedFields(outward(obj.GetManagedFields()))
			}
			return nil
		})
	}
	out.Update = func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
		obj.SetManagedFields(inward(obj.GetManagedFields()))
		if next.Update != nil {
			return next.Update(ctx, c, obj, opts...)
		}
		return c.Update(ctx, obj, opts...)
	}
	out.SubResourceUpdate = func(ctx context.Context, c client.Client, sub string, obj client.Object, opts ...client.SubResourceUpdateOption) error {
		obj.SetManagedFields(inward(obj.GetManagedFields()))
		if next.SubResourceUpdate != nil {
			return next.SubResourceUpdate(ctx, c, sub, obj, opts...)
		}
		return c.SubResource(sub).Update(ctx, obj, opts...)
	}
	return out
}

func get(ctx context.Context, next interceptor.Funcs, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if next.Get != nil {
		return next.Get(ctx, c, key, obj, opts...)
	}
	return c.Get(ctx, key, obj, opts...)
}

func listWith(ctx context.Context, next interceptor.Funcs, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	if next.List != nil {
		return next.List(ctx, c, list, opts...)
	}
	return c.List(ctx, list, opts...)
}

// outward shows the fake's record as a server would.
func outward(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	shown := slices.Clone(entries)
	for i := range shown {
		if shown[i].Operation == metav1.ManagedFieldsOperationApply {
			shown[i].FieldsV1 = withoutResidue(shown[i].FieldsV1)
		}
		if manager, ok := strings.CutSuffix(shown[i].Manager, statusSuffix); ok {
			shown[i].Manager, shown[i].Subresource = manager, "status"
			shown[i].FieldsV1 = statusOnly(shown[i].FieldsV1)
		}
	}
	return shown
}

// withoutResidue drops the empty resources of containers: the fake's second
// apply of a pod template records them, because their Go type cannot be left out.
func withoutResidue(fields *metav1.FieldsV1) *metav1.FieldsV1 {
	tree := map[string]any{}
	if fields == nil || json.Unmarshal(fields.GetRawBytes(), &tree) != nil {
		return fields
	}
	prune(tree)
	raw, err := json.Marshal(tree)
	if err != nil {
		return fields
	}
	kept := &metav1.FieldsV1{}
	kept.SetRawBytes(raw)
	return kept
}

func prune(tree map[string]any) {
	for name, value := range tree {
		sub, isTree := value.(map[string]any)
		if isTree && name == "f:resources" && len(sub) == 0 {
			delete(tree, name)
		} else if isTree {
			prune(sub)
		}
	}
}

// statusOnly drops what the fake records beyond the status: it applies the
// object as a whole, with the rest as it is.
func statusOnly(fields *metav1.FieldsV1) *metav1.FieldsV1 {
	tree := map[string]json.RawMessage{}
	if fields == nil || json.Unmarshal(fields.GetRawBytes(), &tree) != nil {
		return fields
	}
	for name := range tree {
		if name != "f:status" {
			delete(tree, name)
		}
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return fields
	}
	kept := &metav1.FieldsV1{}
	kept.SetRawBytes(raw)
	return kept
}

// inward undoes outward.
func inward(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	kept := slices.Clone(entries)
	for i := range kept {
		if kept[i].Subresource == "status" && kept[i].Operation == metav1.ManagedFieldsOperationApply {
			kept[i].Manager, kept[i].Subresource = kept[i].Manager+statusSuffix, ""
		}
	}
	return kept
}
