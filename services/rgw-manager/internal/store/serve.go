package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// applyGateways writes the objects of the gateways.
func (p *pass) applyGateways(ctx context.Context) (step.Outcome, error) {
	if err := p.applyMimeTypes(ctx); err != nil {
		return step.None, err
	}
	if err := p.Apply.Set(ctx, p.store, gateway.ServiceOf(p.cluster, p.store)); err != nil {
		return step.None, err
	}
	// Gateways elsewhere that the store had before would go on to get requests.
	if err := p.Apply.Prune(ctx, p.store, &discoveryv1.EndpointSliceList{}); err != nil {
		return step.None, err
	}
	if err := p.applyBudget(ctx); err != nil {
		return step.None, err
	}
	if p.deployment != nil && names.Paused(p.deployment.Labels) {
		return step.Done, nil
	}
	return step.Done, p.Apply.Set(ctx, p.store, gateway.Deployment(p.spec()))
}

// applyMimeTypes writes the MIME types unless there are any: people may change them.
func (p *pass) applyMimeTypes(ctx context.Context) error {
	key := client.ObjectKey{Namespace: p.store.Namespace, Name: names.RGWMimeTypes(p.store.Name)}
	err := p.Client.Get(ctx, key, &corev1.ConfigMap{})
	if apierrors.IsNotFound(err) {
		err = p.Live.Get(ctx, key, &corev1.ConfigMap{}) // that of Rook has no label by which the cache knows it
	}
	if apierrors.IsNotFound(err) {
		return p.Apply.Set(ctx, p.store, gateway.MimeTypes(p.store, p.cluster.Name))
	}
	if err != nil {
		return fmt.Errorf("read ConfigMap %s: %w", names.RGWMimeTypes(p.store.Name), err)
	}
	return nil
}

// applyBudget keeps the budget, which a single gateway has none of: it would keep
// nodes from being drained.
func (p *pass) applyBudget(ctx context.Context) error {
	if !p.cluster.Spec.DisruptionManagement.ManagePodBudgets || p.store.Spec.Gateway.Replicas() < 2 {
		return p.Apply.Prune(ctx, p.store, &policyv1.PodDisruptionBudgetList{})
	}
	return p.Apply.Set(ctx, p.store, gateway.Budget(p.store, p.cluster.Name))
}

// spec is what the Deployment is made from. Our own image changes only along with
// Ceph's.
func (p *pass) spec() gateway.Spec {
	images := gateway.Images{Ours: p.Image, Ceph: p.image()}
	if p.deployment != nil {
		images.Ours = daemon.KeepCephlet(&p.deployment.Spec.Template, images.Ceph, p.Image)
	}
	return gateway.Spec{
		Cluster: p.cluster, Store: p.store, Site: p.site, Images: images,
		Certificate: p.certificate, Bundle: p.bundle,
		OptionNames: strings.Join(slices.Sorted(maps.Keys(gateway.Options(p.store, p.site, p.secretOptions))), " "),
	}
}

// awaitGateways waits until every gateway runs as it shall.
func (p *pass) awaitGateways(ctx context.Context) (step.Outcome, error) {
	if err := p.observeDeployment(ctx, p.Client); err != nil {
		return step.None, err
	}
	if p.store.Spec.Gateway.Replicas() == 0 {
		return step.Wait("NoGateways", "No gateway is asked for; raise `gateway.instances`"), nil
	}
	d := p.deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return step.Wait(api.ReasonGatewaysStarting, "Waiting for the Deployment of the gateways"), nil
	}
	want := ptr.Deref(d.Spec.Replicas, 1)
	switch available := d.Status.AvailableReplicas; {
	case available == 0:
		return step.Wait(api.ReasonGatewaysStarting, fmt.Sprintf("0 of %d gateways answer", want)), nil
	case d.Status.UpdatedReplicas < want || d.Status.Replicas > want:
		return step.Wait(api.ReasonUpgrading, "Replacing the gateways one after the other"), nil
	case available < want:
		return step.Wait(api.ReasonScaling, fmt.Sprintf("%d of %d gateways answer", available, want)), nil
	}
	return step.Done, nil
}

// awaitAnswer asks a gateway as we do for users and buckets, and remembers how a
// settled store looks.
func (p *pass) awaitAnswer(ctx context.Context) (step.Outcome, error) {
	outcome, err := p.Gateways.Ping(ctx, p.store)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.known.Store(p.store.UID, &view{mark: p.mark, since: p.Clock.Now(), drift: p.drift})
	return step.Done, nil
}

// applyExternal leads the Service to gateways that run elsewhere.
func (p *pass) applyExternal(ctx context.Context) (step.Outcome, error) {
	if p.store.Spec.Gateway.Port == 0 && p.store.Spec.Gateway.SecurePort == 0 {
		return step.Stall(api.ReasonInvalidSpec, "Gateways need a port; set `gateway.port` or `gateway.securePort`"), nil
	}
	if err := p.Apply.Set(ctx, p.store, gateway.ServiceOf(p.cluster, p.store)); err != nil {
		return step.None, err
	}
	keep := []string{}
	for _, slice := range gateway.Slices(p.cluster, p.store) {
		keep = append(keep, *slice.Name)
		if err := p.Apply.Set(ctx, p.store, slice); err != nil {
			return step.None, err
		}
	}
	return step.Done, p.Apply.Prune(ctx, p.store, &discoveryv1.EndpointSliceList{}, keep...)
}

// awaitExternal asks a gateway that runs elsewhere, now and then.
func (p *pass) awaitExternal(ctx context.Context) (step.Outcome, error) {
	now := mark{generation: p.store.Generation, clusterGeneration: p.cluster.Generation}
	found, ok := p.known.Load(p.store.UID)
	if known, isView := found.(*view); ok && isView && known.mark == now && p.Clock.Since(known.since) < review {
		return step.Done, nil
	}
	outcome, err := p.Gateways.Ping(ctx, p.store)
	if err == nil && outcome.IsDone() {
		p.known.Store(p.store.UID, &view{mark: now, since: p.Clock.Now()})
	}
	return outcome, err
}

// runs tells whether at least one gateway is available.
func (p *pass) runs() bool {
	return p.deployment != nil && p.deployment.Status.AvailableReplicas > 0
}
