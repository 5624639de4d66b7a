package identity

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Release takes the guard off the Secret and the ConfigMap that die with this
// very CephCluster; those of another one keep it. The caller makes sure that
// nobody guards them again.
func Release(ctx context.Context, live client.Reader, applier apply.Applier, cluster *api.CephCluster) error {
	for name, obj := range map[string]client.Object{
		names.MonSecret: &corev1.Secret{}, names.MonEndpoints: &corev1.ConfigMap{},
	} {
		err := live.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: name}, obj)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if !metav1.IsControlledBy(obj, cluster) {
			continue
		}
		if err := applier.RemoveFinalizer(ctx, obj, names.DisasterProtection); err != nil {
			return err
		}
	}
	return nil
}
