package identity

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Outlives tells whether the identity outlives the CephCluster: its data was not
// confirmed to be destroyed, and there was a quorum that may have taken some.
func Outlives(cluster *api.CephCluster) bool {
	return cluster.Spec.CleanupPolicy.Confirmation != api.DestroyDataConfirmation &&
		cluster.Status.Connection != nil && cluster.Status.Connection.MonHost != ""
}

// Release takes the guard off the Secret and the ConfigMap of this very
// CephCluster; those of another one keep it. They die with the cluster, unless
// its identity outlives it: then they belong to nobody from now on, until a
// CephCluster takes them over. It tells whether that happened just now. The
// caller makes sure that nobody guards them again.
func Release(ctx context.Context, live client.Reader, applier apply.Applier, cluster *api.CephCluster) (bool, error) {
	kept := false
	for _, obj := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: names.MonSecret}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: names.MonEndpoints}},
	} {
		name := obj.GetName()
		err := live.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: name}, obj)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return kept, fmt.Errorf("read %s: %w", name, err)
		}
		if !metav1.IsControlledBy(obj, cluster) {
			continue
		}
		if !Outlives(cluster) {
			err = applier.RemoveFinalizer(ctx, obj, names.DisasterProtection)
		} else {
			kept, err = true, disown(ctx, applier, obj, cluster)
		}
		if err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// disown takes owner and guard off obj in one write. What is going already only
// because the cluster is deleted in the foreground keeps its guard, and so stays.
func disown(ctx context.Context, applier apply.Applier, obj client.Object, cluster *api.CephCluster) error {
	before, copied := obj.DeepCopyObject().(client.Object)
	if !copied {
		return fmt.Errorf("copy %T %s: it is no object", obj, obj.GetName())
	}
	obj.SetOwnerReferences(slices.DeleteFunc(slices.Clone(obj.GetOwnerReferences()), func(owner metav1.OwnerReference) bool {
		return owner.UID == cluster.UID
	}))
	if obj.GetDeletionTimestamp().IsZero() || !slices.Contains(cluster.Finalizers, metav1.FinalizerDeleteDependents) {
		controllerutil.RemoveFinalizer(obj, names.DisasterProtection)
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := applier.Client.Patch(ctx, obj, patch, client.FieldOwner(applier.Manager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("disown %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}
