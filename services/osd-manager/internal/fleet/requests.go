package fleet

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// ClusterOf brings a controller of CephClusters back when a CephOSD changes. It
// fits handler.EnqueueRequestsFromMapFunc.
func ClusterOf(_ context.Context, obj client.Object) []reconcile.Request {
	osd, isOSD := obj.(*inventory.CephOSD)
	if !isOSD {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: osd.Namespace, Name: osd.Spec.ClusterName}}}
}
