package store

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// endGateways ends the gateways, and waits for the last of their pods: nobody makes a
// bucket afterwards.
func (p *pass) endGateways(ctx context.Context) (step.Outcome, error) {
	if p.serving() {
		if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
			return outcome, err
		}
		if err := p.Apply.Delete(ctx, p.deployment); err != nil {
			return step.None, err
		}
		return step.Retry(noteRetry, api.ReasonWaiting, "Waiting for the gateways to end"), nil
	}
	var pods corev1.PodList
	if err := p.Live.List(ctx, &pods, client.InNamespace(p.store.Namespace), client.MatchingLabels(gateway.Selector(p.store))); err != nil {
		return step.None, fmt.Errorf("list pods of gateways: %w", err)
	}
	if len(pods.Items) > 0 {
		return step.Retry(endRetry, api.ReasonWaiting, fmt.Sprintf("Waiting for the gateway %s to end", pods.Items[0].Name)), nil
	}
	return step.Done, nil
}

// bringBack has gateways serve a store again in which something was found when they
// were gone, so that people can look at it and delete it.
func (p *pass) bringBack(ctx context.Context) (step.Outcome, error) {
	for _, do := range []func(context.Context) (step.Outcome, error){p.findSite, p.readSecrets, p.applyOptions, p.applyKey, p.applyGateways} {
		if outcome, err := do(ctx); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	return step.Wait(api.ReasonGatewaysStarting, "waiting for their Deployment"), nil
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
	if outcome.Reason == rgwadmin.ReasonBucketsExist {
		// One that was made while the gateways ended. What was noted is not true.
		p.emptied, p.blockers = false, []string{outcome.Message}
	}
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
	p.tried.Forget(p.store.UID)
	p.Gateways.Forget(client.ObjectKeyFromObject(p.store))
	if err := p.Apply.RemoveFinalizer(ctx, p.store, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.store, Finalizer())
}
