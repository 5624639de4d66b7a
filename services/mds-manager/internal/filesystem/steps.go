package filesystem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// poll is how soon to ask Ceph again.
	poll    = time.Second
	purpose = "update metadata servers"
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Finalizer(ctx, p.fs, Finalizer())
}

// image is the image of Ceph that a metadata server runs: the one that all OSDs
// run already, so that it is never newer than those. While the OSDs are between
// two images it keeps its own.
func (p *pass) image(live *appsv1.Deployment) string {
	for _, role := range []string{api.RoleOSD, api.RoleMgr, api.RoleMon} {
		run, reported := p.cluster.Status.Daemons[role]
		switch {
		case run.Image != "":
			return run.Image
		case reported && live != nil && cephImage(live) != "":
			return cephImage(live)
		}
	}
	return p.cluster.Spec.CephVersion.Image
}

// desired is the Deployment as it should be; our own image changes only along
// with something else.
func (p *pass) desired(id string) *appsv1ac.DeploymentApplyConfiguration {
	live := p.deployments[id]
	images := daemons.Images{Ours: p.Image, Ceph: p.image(live)}
	if live != nil {
		images.Ours = daemon.KeepCephlet(&live.Spec.Template, images.Ceph, p.Image)
	}
	return daemons.Deployment(p.cluster, p.fs, id, images)
}

// renewed is desired with our newest image.
func (p *pass) renewed(id string) *appsv1ac.DeploymentApplyConfiguration {
	return daemons.Deployment(p.cluster, p.fs, id, daemons.Images{Ours: p.Image, Ceph: p.image(p.deployments[id])})
}

func (p *pass) applyBudget(ctx context.Context) (step.Outcome, error) {
	if !p.cluster.Spec.DisruptionManagement.ManagePodBudgets {
		return step.Done, p.Apply.Prune(ctx, p.fs, &policyv1.PodDisruptionBudgetList{})
	}
	return step.Done, p.Apply.Set(ctx, p.fs, daemons.Budget(p.fs, p.cluster.Name))
}

// applyOptions tells the metadata servers which file system is theirs and how
// large their caches may be, before they start.
func (p *pass) applyOptions(ctx context.Context) (step.Outcome, error) {
	for _, id := range daemons.IDs(p.fs) {
		for name, value := range daemons.Options(p.cluster, p.fs, id) {
			if err := p.applyOption(ctx, id, name, value); err != nil {
				return step.None, fmt.Errorf("set %s of %s: %w", name, daemons.Entity(id), err)
			}
		}
	}
	return step.Done, nil
}

func (p *pass) applyOption(ctx context.Context, id, name, value string) error {
	held, found := p.option(id, name)
	switch {
	case value == "" && found:
		return p.client.ConfigRemove(ctx, daemons.Entity(id), name)
	case value != "" && held != value:
		return p.client.ConfigSet(ctx, daemons.Entity(id), name, value)
	}
	return nil
}

// applyKeys gives each metadata server its own key. A key that exists is never
// changed.
func (p *pass) applyKeys(ctx context.Context) (step.Outcome, error) {
	var problems problem.List
	for _, id := range daemons.IDs(p.fs) {
		user, err := p.user(ctx, keyring.MDS(id))
		if err == nil {
			err = p.Apply.Set(ctx, p.fs, daemons.Secret(p.fs, p.cluster.Name, id, user.Key()))
		}
		problems.Add(err)
	}
	return step.Done, problems.Err()
}

func (p *pass) user(ctx context.Context, identity keyring.Identity) (ceph.AuthUser, error) {
	user, err := p.client.AuthGet(ctx, identity.Entity)
	if !errors.Is(err, ceph.ErrNotFound) {
		return user, err
	}
	return p.client.AuthGetOrCreate(ctx, identity.Entity, identity.Caps)
}

// writeNow writes the Deployments of metadata servers that do not run.
func (p *pass) writeNow(ctx context.Context) (step.Outcome, error) {
	var problems problem.List
	for _, id := range p.plan.Now {
		problems.Add(p.Apply.Set(ctx, p.fs, p.renewed(id)))
	}
	return step.Done, problems.Err()
}

// finish gives the token back when no change is left to be made.
func (p *pass) finish(ctx context.Context) (step.Outcome, error) {
	if p.plan.Next+p.plan.Retire != "" || len(p.plan.Returning) > 0 {
		return step.Done, nil
	}
	held, err := p.token().Held(ctx, p.cluster, p.Clock.Now())
	if err != nil || !held {
		return step.Done, err
	}
	return step.Done, p.token().Release(ctx, p.cluster)
}

// token is that of the cluster as this file system holds it: while it does, no
// other one is disturbed.
func (p *pass) token() disruption.Token {
	token := p.Token
	token.Part = p.fs.Name
	return token
}

// moveRanks moves the number of ranks by one, and waits until a rank that is to
// end has ended before anything else is stopped.
func (p *pass) moveRanks(ctx context.Context) (step.Outcome, error) {
	m := p.found().Map
	want := int(p.fs.Spec.MetadataServer.ActiveCount)
	next := daemons.Ranks(m, want, len(p.ownStandbys()), p.plan.Upgrading)
	if next != m.MaxMDS {
		// From Ceph 19 on this needs a confirmation while anything in the cluster
		// is not healthy, which has nothing to do with it.
		if err := p.client.FSSet(ctx, p.fs.Name, "max_mds", strconv.Itoa(next), ceph.Really); err != nil {
			return step.None, fmt.Errorf("set max_mds of %s: %w", p.fs.Name, err)
		}
		ctrl.LoggerFrom(ctx).Info("number of ranks changed", "filesystem", p.fs.Name, "from", m.MaxMDS, "to", next)
		p.Events.Eventf(p.fs, nil, corev1.EventTypeNormal, api.ReasonScaling, "SetMaxMDS", "Changed the number of ranks from %d to %d", m.MaxMDS, next)
	}
	switch {
	case next < m.MaxMDS || len(m.In) > m.MaxMDS:
		return step.Retry(poll, api.ReasonScaling, "Waiting for a metadata server to give up its rank"), nil
	case next > m.MaxMDS:
		return step.Retry(poll, api.ReasonScaling, fmt.Sprintf("Waiting for rank %d to be served", next-1)), nil
	}
	return step.Done, nil
}

// ownStandbys are the standbys that would take a rank of this file system.
func (p *pass) ownStandbys() []string {
	var list []string
	for _, standby := range p.maps.Standbys {
		if p.deployments[standby.Name] != nil {
			list = append(list, standby.Name)
		}
	}
	return list
}

// disturb changes or ends one metadata server, if nothing is lost by it.
func (p *pass) disturb(ctx context.Context) (step.Outcome, error) {
	for _, id := range p.plan.Drop {
		if err := p.end(ctx, id); err != nil {
			return step.None, err
		}
	}
	if len(p.plan.Drop) > 0 {
		return step.Retry(poll, api.ReasonScaling, "Ending "+problem.Names(p.plan.Drop)), nil
	}
	if p.plan.Next+p.plan.Retire == "" {
		return step.Done, nil
	}
	// A cache that lags behind our own last change must not let us make the next.
	if err := p.observeObjects(ctx, p.Live); err != nil {
		return step.None, err
	}
	if err := p.decide(ctx); err != nil {
		return step.None, err
	}
	if waiting := append(p.plan.Now, p.plan.Returning...); len(waiting) > 0 {
		return step.Retry(poll, p.reason(), "Waiting for "+problem.Names(waiting)+" to come back"), nil
	}
	return p.disturbNext(ctx)
}

func (p *pass) reason() string {
	if p.plan.Next != "" {
		return api.ReasonUpgrading
	}
	return api.ReasonScaling
}

func (p *pass) disturbNext(ctx context.Context) (step.Outcome, error) {
	id := p.plan.Next
	if id == "" {
		id = p.plan.Retire
	}
	if id == "" {
		return step.Retry(poll, p.reason(), "Looking at the metadata servers again"), nil
	}
	grant, err := p.token().Acquire(ctx, p.cluster, purpose, p.Clock.Now())
	if err != nil {
		return step.None, err
	}
	if !grant.Held {
		return step.Retry(poll, api.ReasonDisrupted, fmt.Sprintf("Waiting for %s: %s", grant.By, grant.Purpose)), nil
	}
	if outcome, err := p.mayStop(ctx, id); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if id != p.plan.Next {
		return step.Retry(poll, api.ReasonScaling, "Ending "+id), p.end(ctx, id)
	}
	if err := p.Apply.Set(ctx, p.fs, p.renewed(id)); err != nil {
		return step.None, err
	}
	p.Events.Eventf(p.fs, nil, corev1.EventTypeNormal, "MetadataServerUpdated", "UpdateMetadataServer", "Updated metadata server %s", id)
	return step.Retry(poll, api.ReasonUpgrading, "Waiting for "+id+" to come back"), nil
}

// mayStop asks Ceph. A file system whose spec wants no standby cannot be updated
// without a pause, so there only its own state counts.
func (p *pass) mayStop(ctx context.Context, id string) (step.Outcome, error) {
	if p.cluster.Spec.SkipUpgradeChecks {
		return step.Done, nil
	}
	err := p.client.MDSOKToStop(ctx, id)
	if !errors.Is(err, ceph.ErrBusy) {
		return step.Done, err
	}
	m := p.found().Map
	if !p.fs.Spec.MetadataServer.ActiveStandby && len(m.Failed) == 0 && len(m.Damaged) == 0 && m.Active() == len(m.In) {
		return step.Done, nil
	}
	var refused *ceph.Error
	if errors.As(err, &refused) {
		return step.Retry(poll, p.reason(), fmt.Sprintf("Waiting for Ceph: mds ok-to-stop refuses %s: %s", id, refused.Status)), nil
	}
	return step.None, err
}

// end removes a metadata server that the spec no longer asks for, with its
// options and its key.
func (p *pass) end(ctx context.Context, id string) error {
	if live := p.deployments[id]; live != nil {
		if err := p.Apply.Delete(ctx, live); err != nil {
			return err
		}
	}
	for name := range daemons.Options(p.cluster, p.fs, id) {
		if err := p.client.ConfigRemove(ctx, daemons.Entity(id), name); err != nil {
			return fmt.Errorf("remove %s of %s: %w", name, daemons.Entity(id), err)
		}
	}
	if err := p.client.AuthRemove(ctx, daemons.Entity(id)); err != nil {
		return fmt.Errorf("remove user %s: %w", daemons.Entity(id), err)
	}
	if secret := p.secrets[id]; secret != nil {
		return p.Apply.Delete(ctx, secret) // the last, since what is left is found by it
	}
	return nil
}
