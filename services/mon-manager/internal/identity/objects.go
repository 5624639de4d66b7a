package identity

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Secrets returns the Secrets that hold the identity: rook-ceph-mon, which is
// guarded by a finalizer, and the keyrings of the monitors and of client.admin.
func Secrets(namespace string, id Identity) []runtime.ApplyConfiguration {
	mon := secret(namespace, names.MonSecret, map[string]string{
		KeyFSID:         id.FSID,
		KeyMonSecret:    id.Mon.Secret,
		KeyCephUsername: id.Admin.Entity,
		KeyCephSecret:   id.Admin.Secret,
	}).WithFinalizers(names.DisasterProtection)
	return []runtime.ApplyConfiguration{
		mon,
		secret(namespace, names.MonsKeyring, map[string]string{
			"keyring": keyring.Render(id.Mon, keyring.Mon().Caps) + "\n" + keyring.Render(id.Admin, keyring.Admin().Caps),
		}),
		Keyring(namespace, names.AdminKeyring, id.Admin, keyring.Admin().Caps),
	}
}

// NewSecret returns Secret rook-ceph-mon for an identity that was just minted.
func NewSecret(cluster *api.CephCluster, id Identity, scheme *runtime.Scheme) (*corev1.Secret, error) {
	fresh := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cluster.Namespace, Name: names.MonSecret, Finalizers: []string{names.DisasterProtection},
		},
		Type: names.SecretType,
		StringData: map[string]string{
			KeyFSID: id.FSID, KeyMonSecret: id.Mon.Secret, KeyCephUsername: id.Admin.Entity, KeyCephSecret: id.Admin.Secret,
		},
	}
	if err := controllerutil.SetControllerReference(cluster, fresh, scheme); err != nil {
		return nil, fmt.Errorf("own Secret %s: %w", names.MonSecret, err)
	}
	return fresh, nil
}

// Keyring returns the Secret with the keyring of one identity.
func Keyring(namespace, name string, key keyring.Key, caps keyring.Caps) *corev1ac.SecretApplyConfiguration {
	return secret(namespace, name, map[string]string{"keyring": keyring.Render(key, caps)})
}

func secret(namespace, name string, data map[string]string) *corev1ac.SecretApplyConfiguration {
	raw := make(map[string][]byte, len(data))
	for key, value := range data {
		raw[key] = []byte(value)
	}
	return corev1ac.Secret(name, namespace).WithType(corev1.SecretType(names.SecretType)).WithData(raw)
}
