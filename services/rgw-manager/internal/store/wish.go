package store

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Wish is what a store wants of its realm.
type Wish struct {
	Site gateway.Site
	// Own tells that realm, zone group and zone are the store's. Otherwise they are
	// those of other objects, and only the endpoints and the administrator are wished.
	Own bool
	// Endpoints are all URLs of the zone, at which other zones and the dashboard reach
	// it; none to leave them as they are.
	Endpoints []string
	// Hostnames are the names under which gateways take the first part of a host name
	// for a bucket.
	Hostnames []string
	// DefaultRealm makes the realm that of all tools.
	DefaultRealm bool
	// Shared are the existing pools that the zone uses; nil for its own.
	Shared *api.ObjectSharedPoolsSpec
	// AdminOps is the Secret with the keys of the user that we manage the store as.
	AdminOps string
	// Keys changes with them.
	Keys string
	// Gone means that all this shall be no more.
	Gone bool
}

// Setup brings about in Ceph's realm what a store wishes.
type Setup interface {
	// Ensure is Done with what was set up when the wish is true, which it knows of a
	// store whose status says so without looking.
	Ensure(ctx context.Context, cluster *api.CephCluster, store *api.CephObjectStore, wish Wish) (api.ObjectSetupStatus, step.Outcome, error)
}

// Gateways asks the gateways of stores.
type Gateways interface {
	// Ping is Done when a gateway of the store has answered a signed request.
	Ping(ctx context.Context, store *api.CephObjectStore) (step.Outcome, error)
	// Buckets names the buckets of the store. The outcome says why nobody can tell.
	Buckets(ctx context.Context, store *api.CephObjectStore) ([]string, step.Outcome, error)
	// Forget drops what is known of a store that is gone.
	Forget(store types.NamespacedName)
}

// wish is what the store wants now.
func (p *pass) wish(ctx context.Context) (Wish, error) {
	w := Wish{Site: p.site, Own: p.own(), AdminOps: names.RGWAdminOps(p.store.Name), Keys: p.keys}
	if w.Own {
		w.Endpoints, w.Hostnames = []string{gateway.URL(p.store)}, gateway.Hostnames(p.store)
		w.DefaultRealm, w.Shared = p.store.Spec.DefaultRealm, p.shared()
		return w, nil
	}
	if p.zone != nil && p.zone.Spec.SharedPools.Wanted() {
		w.Shared = p.zone.Spec.SharedPools
	}
	var err error
	w.Endpoints, err = p.zoneEndpoints(ctx)
	return w, err
}

// zoneEndpoints are the URLs of the zone that the store serves: those that its object
// gives, or those of all stores that serve it and stay.
func (p *pass) zoneEndpoints(ctx context.Context) ([]string, error) {
	if p.zone != nil && len(p.zone.Spec.CustomEndpoints) > 0 {
		return p.zone.Spec.CustomEndpoints, nil
	}
	var list api.CephObjectStoreList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.store.Namespace)); err != nil {
		return nil, fmt.Errorf("list CephObjectStores: %w", err)
	}
	var endpoints []string
	for i := range list.Items {
		one := &list.Items[i]
		if one.Spec.ZoneName() == p.site.Zone && one.DeletionTimestamp.IsZero() && !one.Spec.Gateway.External() {
			endpoints = append(endpoints, gateway.URL(one))
		}
	}
	slices.Sort(endpoints)
	return endpoints, nil
}

// shared are the pools of others that the store uses; nil for none.
func (p *pass) shared() *api.ObjectSharedPoolsSpec {
	if p.store.Spec.SharedPools.Wanted() {
		return p.store.Spec.SharedPools
	}
	return nil
}
