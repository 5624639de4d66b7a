package store

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// applyAdminOps keeps the Secret with the keys of the user that we manage the store
// as. A store with a realm of its own draws them once. The zones of a realm share
// their users, and each may be in another cluster, so that there the keys follow from
// those of the realm, which all of them have.
func (p *pass) applyAdminOps(ctx context.Context) (step.Outcome, error) {
	held := &corev1.Secret{}
	key := client.ObjectKey{Namespace: p.store.Namespace, Name: names.RGWAdminOps(p.store.Name)}
	err := p.Client.Get(ctx, key, held)
	if apierrors.IsNotFound(err) {
		// The cache may lag behind our own last write, and keys are drawn only once.
		err = p.Live.Get(ctx, key, held)
	}
	if client.IgnoreNotFound(err) != nil {
		return step.None, fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	access, secret := string(held.Data[names.AdminOpsAccessKey]), string(held.Data[names.AdminOpsSecretKey])
	switch {
	case access != "" && secret != "":
	case p.own():
		drawn := accesskey.Draw()
		access, secret = drawn.Access, drawn.Secret
	default:
		realm, outcome, err := p.secret(ctx, "realm "+p.site.Realm, names.RealmKeys(p.site.Realm))
		if err != nil || !outcome.IsDone() {
			return outcome, err
		}
		made := accesskey.Derive(realm.Data[names.RealmSecretKey], "the administrator")
		access, secret = made.Access, made.Secret
	}
	p.keys = rgwadmin.Fingerprint(access, secret)
	return step.Done, p.Apply.Set(ctx, p.store, gateway.AdminOps(p.store, p.cluster.Name, access, secret))
}
