package apply

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// Prune deletes the objects of list's kind in the namespace of owner that this
// manager applied for owner and whose names are not in keep. Each delete
// carries the UID and the resource version that were seen.
func (a Applier) Prune(ctx context.Context, owner client.Object, list client.ObjectList, keep ...string) error {
	err := a.Client.List(ctx, list, client.InNamespace(owner.GetNamespace()), client.MatchingLabels{ManagedBy: a.Manager})
	if err != nil {
		return fmt.Errorf("list %T: %w", list, err)
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		obj, ok := item.(client.Object)
		if !ok || slices.Contains(keep, obj.GetName()) || !metav1.IsControlledBy(obj, owner) {
			return nil
		}
		return a.Delete(ctx, obj)
	})
}

// Delete deletes exactly the object that was seen: its UID and resource version
// are preconditions, so a stale read cannot destroy a successor. An object that
// is gone or going is no error.
func (a Applier) Delete(ctx context.Context, obj client.Object) error {
	if !obj.GetDeletionTimestamp().IsZero() {
		return nil
	}
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	err := a.Client.Delete(ctx, obj, client.PropagationPolicy(metav1.DeletePropagationBackground),
		client.Preconditions{UID: &uid, ResourceVersion: &version})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}

// Finalizer makes sure that obj carries the finalizer.
func (a Applier) Finalizer(ctx context.Context, obj client.Object, name string) error {
	return a.patchFinalizers(ctx, obj, "add finalizer to", func() bool { return controllerutil.AddFinalizer(obj, name) })
}

// RemoveFinalizer lets obj go as far as this finalizer is concerned.
func (a Applier) RemoveFinalizer(ctx context.Context, obj client.Object, name string) error {
	return a.patchFinalizers(ctx, obj, "remove finalizer from", func() bool { return controllerutil.RemoveFinalizer(obj, name) })
}

// patchFinalizers sends the finalizers only, guarded by the resource version:
// the list is written whole, so a concurrent change must win a retry.
func (a Applier) patchFinalizers(ctx context.Context, obj client.Object, verb string, change func() bool) error {
	before, ok := obj.DeepCopyObject().(client.Object)
	if !ok || !change() {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := a.Client.Patch(ctx, obj, patch, client.FieldOwner(a.Manager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("%s %T %s: %w", verb, obj, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}
