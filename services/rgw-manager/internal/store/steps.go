package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	if err := p.observeDeployment(ctx, p.Client); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.Finalizer(ctx, p.store, Finalizer())
}

// applyPools makes the pools what the spec says. Pools that were changed are looked
// at once more. Those of a zone are its own object's.
func (p *pass) applyPools(ctx context.Context) (step.Outcome, error) {
	if !p.own() {
		return step.Done, nil
	}
	list := p.wantedPools()
	if shared := p.shared(); shared != nil {
		if outcome := zonepools.AwaitShared(p.pools, shared); !outcome.IsDone() {
			return outcome, nil
		}
	}
	if p.before.Phase == "" {
		// The pools take a while, and so long nobody would hear of the store.
		return step.Retry(noteRetry, "Configuring", "Making the pools"), nil
	}
	result, outcome, err := zonepools.Ensure(ctx, p.client, p.pools, list)
	p.drift = append(p.drift, result.Drift...)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.tried.After(p.store.UID, result.Changes), nil
}

// wantedPools are the pools that are the store's to make. One that uses pools of
// others still needs the one that says which zones there are.
func (p *pass) wantedPools() []pools.Want {
	if p.shared() == nil {
		return zonepools.Wanted(p.store.Name, p.store.Spec.MetadataPool, p.store.Spec.DataPool)
	}
	return zonepools.RootOnly()
}

// applySetup has realm, zone group and zone made. A store that has been set up
// already serves whatever the setup waits for now.
func (p *pass) applySetup(ctx context.Context) (step.Outcome, error) {
	if p.before.Setup == nil {
		if outcome := condition.Await(p.cluster, api.ConditionOSDsServing); !outcome.IsDone() {
			return outcome, nil // the Job would hang
		}
	}
	wish, err := p.wish(ctx)
	if err != nil {
		return step.None, err
	}
	done, outcome, err := p.Setup.Ensure(ctx, p.cluster, p.store, wish)
	if err == nil && outcome.IsDone() {
		p.setup = &done
	}
	return outcome, err
}

// applyOptions stores the options of the gateways, before they start, and removes
// those that we stored before and that are wanted no more.
func (p *pass) applyOptions(ctx context.Context) (step.Outcome, error) {
	want, entity := gateway.Options(p.store, p.site, p.secretOptions), gateway.Entity(p.store.Name)
	held := map[string]string{}
	for _, option := range p.options {
		if option.Section == entity && option.Mask == "" {
			held[option.Name] = option.Value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, found := held[name]; found && value == want[name] {
			continue
		}
		if outcome, err := p.storeOption(ctx, entity, name, want[name]); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	return step.Done, p.removeOptions(ctx, entity, want, held)
}

// removeOptions removes what we stored before and that is wanted no more.
func (p *pass) removeOptions(ctx context.Context, entity string, want, held map[string]string) error {
	for _, name := range p.storedBefore() {
		_, wanted := want[name]
		if _, found := held[name]; wanted || !found {
			continue
		}
		if err := p.client.ConfigRemove(ctx, entity, name); err != nil {
			return fmt.Errorf("remove %s of %s: %w", name, entity, err)
		}
	}
	return nil
}

// storeOption stores one option. What Ceph does not take is the user's to mend; its
// value may be a secret and is not told.
func (p *pass) storeOption(ctx context.Context, entity, name, value string) (step.Outcome, error) {
	err := p.client.ConfigSet(ctx, entity, name, value)
	if errors.Is(err, ceph.ErrInvalid) {
		outcome := step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("Ceph does not take the value of option %s for gateways; correct it in `gateway.rgwConfig` or its Secret", name))
		outcome.After = refusedRetry
		return outcome, nil
	}
	if err != nil {
		return step.None, fmt.Errorf("set %s of %s: %w", name, entity, err)
	}
	return step.Done, nil
}

// storedBefore are the options that the Deployment says we have stored.
func (p *pass) storedBefore() []string {
	if p.deployment == nil {
		return nil
	}
	return strings.Fields(p.deployment.Annotations[gateway.AnnotationOptions])
}

// applyKey gives the gateways their key. One that exists is never changed.
func (p *pass) applyKey(ctx context.Context) (step.Outcome, error) {
	identity := keyring.RGW(gateway.Daemon(p.store.Name))
	user, err := p.client.AuthGet(ctx, identity.Entity)
	if errors.Is(err, ceph.ErrNotFound) {
		user, err = p.client.AuthGetOrCreate(ctx, identity.Entity, identity.Caps)
	}
	if err != nil {
		return step.None, fmt.Errorf("make user %s: %w", identity.Entity, err)
	}
	return step.Done, p.Apply.Set(ctx, p.store, gateway.Secret(p.store, p.cluster.Name, user.Key()))
}

// haveKey tells whether the Secret with the key of the gateways is there.
func (p *pass) haveKey(ctx context.Context) (bool, error) {
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.store.Namespace, Name: gateway.Keyring(p.store.Name)}, &corev1.Secret{})
	return err == nil, client.IgnoreNotFound(err)
}

// image is the image of Ceph that gateways run: the one that all daemons before them
// in Ceph's order run already, so that they are never newer than those. While those
// are between two images gateways keep their own.
func (p *pass) image() string {
	for _, role := range []string{api.RoleMDS, api.RoleOSD, api.RoleMgr, api.RoleMon} {
		run, reported := p.cluster.Status.Daemons[role]
		switch {
		case run.Image != "":
			return run.Image
		case reported && p.deployment != nil && gateway.Image(p.deployment) != "":
			return gateway.Image(p.deployment)
		}
	}
	return p.cluster.Spec.CephVersion.Image
}
