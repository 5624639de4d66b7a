package users

import (
	"maps"
	"slices"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// wanted is one user and the Secret that its key goes to.
type wanted struct {
	keyring.Identity
	secret string
	// csi is whether the Secret has the form that volume drivers read; legacy
	// adds the names that older CephFS classes refer to.
	csi, legacy bool
}

// Wanted returns the users of a cluster, in a stable order.
func Wanted(cluster *api.CephCluster) []wanted {
	list := []wanted{
		{Identity: keyring.MonManager(), secret: names.ServiceKeyring("mon-manager")},
		{Identity: keyring.OSDManager(), secret: names.ServiceKeyring("osd-manager")},
		{Identity: keyring.MDSManager(), secret: names.ServiceKeyring("mds-manager")},
		{Identity: keyring.RGWManager(), secret: names.ServiceKeyring("rgw-manager")},
		{Identity: keyring.Provisioner(), secret: names.ServiceKeyring("provisioner")},
	}
	if cluster.Spec.CSI.SkipUserCreation {
		return list
	}
	csi := keyring.CSI()
	for _, name := range slices.Sorted(maps.Keys(csi)) {
		list = append(list, wanted{
			Identity: csi[name], secret: names.CSISecret(name), csi: true, legacy: strings.Contains(name, "cephfs"),
		})
	}
	return list
}

// Change is what to do about one user.
type Change int

// The changes.
const (
	// Fine users are as wanted.
	Fine Change = iota
	// Create users do not exist yet.
	Create
	// Recap users have other capabilities.
	Recap
)

// Decide compares a wanted user with the list of users.
func Decide(identity keyring.Identity, known []ceph.AuthUser) (Change, ceph.AuthUser) {
	at := slices.IndexFunc(known, func(u ceph.AuthUser) bool { return u.Entity == identity.Entity })
	if at < 0 {
		return Create, ceph.AuthUser{}
	}
	if !maps.Equal(known[at].Caps, map[string]string(identity.Caps)) {
		return Recap, known[at]
	}
	return Fine, known[at]
}

// object returns the Secret that carries the key.
func (w wanted) object(namespace string, key keyring.Key) *corev1ac.SecretApplyConfiguration {
	data := map[string]string{"keyring": keyring.Render(key, nil)}
	if w.csi {
		id := strings.TrimPrefix(key.Entity, "client.")
		data = map[string]string{"userID": id, "userKey": key.Secret}
		if w.legacy {
			data["adminID"], data["adminKey"] = id, key.Secret
		}
	}
	raw := map[string][]byte{}
	for name, value := range data {
		raw[name] = []byte(value)
	}
	return corev1ac.Secret(w.secret, namespace).WithType(names.SecretType).WithData(raw)
}
