package queue

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Beside brings back all objects of a kind in the namespace of the one that
// changed. kind is an empty list; reader is a cache.
func Beside(reader client.Reader, kind client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		return all(ctx, reader, kind, changed.GetNamespace())
	}
}

// All brings back all objects of a kind, whatever changed.
func All(reader client.Reader, kind client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		return all(ctx, reader, kind, "")
	}
}

// all names the objects of a kind in a namespace, or in all for "". A cache that
// cannot answer has other troubles, which end the process.
func all(ctx context.Context, reader client.Reader, kind client.ObjectList, namespace string) []reconcile.Request {
	list, isList := kind.DeepCopyObject().(client.ObjectList)
	if !isList {
		return nil
	}
	if err := reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "objects not listed", "namespace", namespace)
		return nil
	}
	var requests []reconcile.Request
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if obj, isObject := item.(client.Object); isObject {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
		return nil
	})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "objects not read", "namespace", namespace)
	}
	return requests
}
