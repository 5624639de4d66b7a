package store

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// endGateways ends the gateways, so that nobody makes a bucket from now on.
func (p *pass) endGateways(ctx context.Context) (step.Outcome, error) {
	if p.deployment == nil {
		return step.Done, nil
	}
	if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if err := p.Apply.Delete(ctx, p.deployment); err != nil {
		return step.None, err
	}
	return step.Retry(noteRetry, api.ReasonWaiting, "Waiting for the gateways to end"), nil
}

// endSetup has realm, zone group and zone removed, or the endpoints of the store taken
// out of the zone that it served.
func (p *pass) endSetup(ctx context.Context) (step.Outcome, error) {
	if p.before.Setup == nil || p.own() && p.keeps() {
		return step.Done, nil
	}
	if !p.own() {
		outcome, err := p.findSite(ctx)
		if err != nil {
			return step.None, err
		}
		if !outcome.IsDone() {
			return step.Done, nil // the zone is gone, and the endpoints with it
		}
	} else {
		p.site = gateway.Site{Realm: p.store.Name, ZoneGroup: p.store.Name, Zone: p.store.Name}
	}
	wish, err := p.wish(ctx)
	if err != nil {
		return step.None, err
	}
	wish.Gone = true
	done, outcome, err := p.Setup.Ensure(ctx, p.cluster, p.store, wish)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.setup = &done
	if done.Hash != p.before.Setup.Hash {
		// Once the pools are gone, a Job that looks for a realm would make them anew.
		return step.Retry(noteRetry, api.ReasonWaiting, "Noting that the realm is gone"), nil
	}
	return step.Done, nil
}

// removePools removes the pools of the store. Nothing of any bucket is in them.
func (p *pass) removePools(ctx context.Context) (step.Outcome, error) {
	if p.keeps() || !p.emptied {
		return step.Done, nil
	}
	if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	var realms api.CephObjectRealmList
	if err := p.Live.List(ctx, &realms, client.InNamespace(p.store.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectRealms: %w", err)
	}
	if err := zonepools.Remove(ctx, p.client, p.pools, p.wantedPools(), len(realms.Items) > 0); err != nil {
		return step.None, err
	}
	ctrl.LoggerFrom(ctx).Info("object store removed", "store", p.store.Name)
	p.Events.Eventf(p.store, nil, corev1.EventTypeNormal, "StoreRemoved", "RemoveStore", "Removed object store %s", p.store.Name)
	return step.Done, nil
}

// endKey removes the options and the user of the gateways, and the Secret with its key
// last, since what is left is found by it.
func (p *pass) endKey(ctx context.Context) (step.Outcome, error) {
	entity := keyring.RGW(gateway.Daemon(p.store.Name)).Entity
	for _, option := range p.options {
		if option.Section != entity {
			continue
		}
		if err := p.client.ConfigRemove(ctx, entity, option.Name); err != nil {
			return step.None, fmt.Errorf("remove %s of %s: %w", option.Name, entity, err)
		}
	}
	if err := p.client.AuthRemove(ctx, entity); err != nil {
		return step.None, fmt.Errorf("remove user %s: %w", entity, err)
	}
	secret := &corev1.Secret{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.store.Namespace, Name: gateway.Keyring(p.store.Name)}, secret)
	if err != nil {
		return step.Done, client.IgnoreNotFound(err)
	}
	return step.Done, p.Apply.Delete(ctx, secret)
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.known.Delete(p.store.UID)
	p.tried.Delete(p.store.UID)
	p.Gateways.Forget(client.ObjectKeyFromObject(p.store))
	if err := p.Apply.RemoveFinalizer(ctx, p.store, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.store, Finalizer())
}
