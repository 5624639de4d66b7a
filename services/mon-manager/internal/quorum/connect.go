package quorum

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/identity"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
)

// connect makes sure that there is a connection as our own user. Only until
// that user exists the connection is client.admin's.
func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	own, err := p.ownKey(ctx)
	if err != nil {
		return step.None, err
	}
	if own.Secret != "" && errors.Is(p.seen.linkErr, ceph.ErrDenied) {
		own = keyring.Key{} // Ceph does not know it any more: begin again
		if err := p.apply.Set(ctx, p.cluster, p.ownSecret(own)); err != nil {
			return step.None, err
		}
	}
	if own.Secret != "" {
		p.ensure(link.Target{Key: own})
		return step.Done, nil
	}
	p.ensure(link.Target{Key: p.identity().Admin, Bootstrap: true})
	if p.seen.client == nil {
		return step.Done, nil
	}
	if own, err = p.mintOwn(ctx); err != nil {
		return step.None, err
	}
	if err := p.apply.Set(ctx, p.cluster, p.ownSecret(own)); err != nil {
		return step.None, err
	}
	p.ensure(link.Target{Key: own})
	return step.Wait(api.ReasonMonitorsStarting, "Connecting to Ceph as "+own.Entity), nil
}

// keepConnection connects to a cluster whose identity was lost, with what is
// left, so that its health is still seen.
func (p *pass) keepConnection(ctx context.Context) error {
	at := p.cluster.Status.Connection
	own, err := p.ownKey(ctx)
	if err != nil || own.Secret == "" || at == nil {
		return err
	}
	p.Links.Ensure(client.ObjectKeyFromObject(p.cluster), link.Target{At: *at, Key: own})
	return nil
}

func (p *pass) ensure(target link.Target) {
	target.At = api.Connection{FSID: p.identity().FSID, MonHost: monHost(p.plan.Members, onlyV2(p.cluster))}
	p.Links.Ensure(client.ObjectKeyFromObject(p.cluster), target)
}

// mintOwn makes our user with exactly its capabilities.
func (p *pass) mintOwn(ctx context.Context) (keyring.Key, error) {
	wanted := keyring.MonManager()
	user, err := p.seen.client.AuthGetOrCreate(ctx, wanted.Entity, wanted.Caps)
	if errors.Is(err, ceph.ErrInvalid) { // it exists with other capabilities
		if err = p.seen.client.AuthCaps(ctx, wanted.Entity, wanted.Caps); err == nil {
			user, err = p.seen.client.AuthGet(ctx, wanted.Entity)
		}
	}
	if err != nil {
		return keyring.Key{}, err
	}
	return user.Key(), nil
}

func (p *pass) ownKey(ctx context.Context) (keyring.Key, error) {
	var secret corev1.Secret
	name := names.ServiceKeyring(service)
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: name}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return keyring.Key{}, fmt.Errorf("read Secret %s: %w", name, err)
	}
	keys, err := keyring.Parse(string(secret.Data["keyring"]))
	if err != nil || len(keys) != 1 || keys[0].Entity != keyring.MonManager().Entity {
		return keyring.Key{}, nil //nolint:nilerr // a damaged copy is made anew
	}
	return keys[0], nil
}

func (p *pass) ownSecret(key keyring.Key) *corev1ac.SecretApplyConfiguration {
	name := names.ServiceKeyring(service)
	return identity.Keyring(p.cluster.Namespace, name, key, nil)
}
