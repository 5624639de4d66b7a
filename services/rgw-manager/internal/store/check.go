package store

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// parentRetry is how often an object is looked for whose making may not wake us.
const parentRetry = 10 * time.Second

// check refuses what cannot be had before anything is made.
func (p *pass) check(ctx context.Context) (step.Outcome, error) {
	if wrong := p.wrong(); wrong != "" {
		return step.Stall(api.ReasonInvalidSpec, wrong), nil
	}
	if outcome, err := p.checkName(ctx, p.Client); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.checkPorts(ctx)
}

// wrong says what is wrong with the spec by itself; empty for nothing. Admission
// refuses most of it, but stores of an earlier installation have never met it.
func (p *pass) wrong() string {
	gw, shared := &p.store.Spec.Gateway, p.shared()
	switch {
	case gw.Port == 0 && gw.SecurePort == 0:
		return "Gateways need a port to listen on; set `gateway.port`, or `gateway.securePort` and `gateway.sslCertificateRef`"
	case gw.SecurePort > 0 && p.store.CertificateRef() == "":
		return "`gateway.securePort` needs a certificate; set `gateway.sslCertificateRef`"
	case !p.own():
		return ""
	case shared == nil && (!p.store.Spec.MetadataPool.Wanted() || !p.store.Spec.DataPool.Wanted()):
		return "A store needs pools; set `metadataPool` and `dataPool`, `sharedPools`, or `zone`"
	case shared != nil && !zonepools.HasDefault(shared):
		return "`sharedPools` needs `metadataPoolName` and `dataPoolName`, or a placement that is the default"
	}
	return ""
}

// checkName refuses a store whose zone would be that of another object. One that was
// set up first keeps the name.
func (p *pass) checkName(ctx context.Context, reader client.Reader) (step.Outcome, error) {
	if !p.own() || p.before.Setup != nil {
		return step.Done, nil
	}
	for _, one := range []struct {
		kind string
		obj  client.Object
	}{
		{"CephObjectZone", &api.CephObjectZone{}}, {"CephObjectZoneGroup", &api.CephObjectZoneGroup{}}, {"CephObjectRealm", &api.CephObjectRealm{}},
	} {
		err := reader.Get(ctx, client.ObjectKeyFromObject(p.store), one.obj)
		if client.IgnoreNotFound(err) != nil {
			return step.None, fmt.Errorf("read %s: %w", one.kind, err)
		}
		if err == nil {
			return step.Stall(api.ReasonNameTaken, fmt.Sprintf(
				"The name '%s' is that of a %s already; choose another name, or set `zone` to serve that", p.store.Name, one.kind)), nil
		}
	}
	return step.Done, nil
}

// checkPorts refuses a store whose gateways would listen where those of an older
// one do: on the same ports of the same nodes.
func (p *pass) checkPorts(ctx context.Context) (step.Outcome, error) {
	if !gateway.HostNetwork(p.cluster, p.store) {
		return step.Done, nil
	}
	var list api.CephObjectStoreList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.store.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephObjectStores: %w", err)
	}
	for i := range list.Items {
		other := &list.Items[i]
		if other.Name == p.store.Name || !older(other, p.store) || other.Spec.Gateway.External() || !gateway.HostNetwork(p.cluster, other) ||
			!reflect.DeepEqual(other.Spec.Gateway.Placement, p.store.Spec.Gateway.Placement) {
			continue
		}
		if port := common(other, p.store); port > 0 {
			return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf(
				"Port %d of the nodes is that of CephObjectStore %s; choose another port, or place the gateways on other nodes", port, other.Name)), nil
		}
	}
	return step.Done, nil
}

// common is a port that both stores want; 0 for none.
func common(a, b *api.CephObjectStore) int32 {
	for _, port := range []int32{a.Spec.Gateway.Port, a.Spec.Gateway.SecurePort} {
		if port > 0 && (port == b.Spec.Gateway.Port || port == b.Spec.Gateway.SecurePort) {
			return port
		}
	}
	return 0
}

func older(a, b *api.CephObjectStore) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

// findSite says which realm, zone group and zone the gateways serve. Those of other
// objects are waited for.
func (p *pass) findSite(ctx context.Context) (step.Outcome, error) {
	name := p.store.Name
	if p.own() {
		p.site = gateway.Site{Realm: name, ZoneGroup: name, Zone: name}
		return step.Done, nil
	}
	zone, group := &api.CephObjectZone{}, &api.CephObjectZoneGroup{}
	outcome, err := p.parent(ctx, "CephObjectZone", p.store.Spec.ZoneName(), zone)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if outcome, err = p.parent(ctx, "CephObjectZoneGroup", zone.Spec.ZoneGroup, group); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.zone, p.site = zone, gateway.Site{Realm: group.Spec.Realm, ZoneGroup: group.Name, Zone: zone.Name}
	if p.before.Setup != nil {
		return step.Done, nil // the gateways serve it already, whatever the zone waits for
	}
	if zone.Status == nil || !condition.IsTrue(zone.Status.Conditions, api.ConditionReady) {
		return step.Wait(api.ReasonParentNotReady, fmt.Sprintf("Waiting for CephObjectZone %s to be ready", zone.Name)), nil
	}
	return step.Done, nil
}

func (p *pass) parent(ctx context.Context, kind, name string, into client.Object) (step.Outcome, error) {
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.store.Namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		return step.Retry(parentRetry, api.ReasonParentMissing, fmt.Sprintf("Waiting for %s '%s', which does not exist", kind, name)), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read %s: %w", kind, err)
	}
	return step.Done, nil
}
