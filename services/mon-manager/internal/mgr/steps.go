package mgr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/podstate"
)

const annotationTemplate = "ceph.rook.io/template"

// applyKeys makes the user of every manager and writes its keyring.
func (p *pass) applyKeys(ctx context.Context) (step.Outcome, error) {
	for _, name := range Managers(p.cluster) {
		user, err := p.user(ctx, keyring.Mgr(name))
		if err != nil {
			return step.None, err
		}
		if err := p.apply.Set(ctx, p.cluster, keyringSecret(p.cluster, name, user.Key())); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
}

// user reads a user, and makes it when there is none.
func (p *pass) user(ctx context.Context, wanted keyring.Identity) (ceph.AuthUser, error) {
	user, err := p.seen.client.AuthGet(ctx, wanted.Entity)
	if errors.Is(err, ceph.ErrNotFound) {
		return p.seen.client.AuthGetOrCreate(ctx, wanted.Entity, wanted.Caps)
	}
	return user, err
}

func (p *pass) applyServices(ctx context.Context) (step.Outcome, error) {
	var keep []string
	if !p.cluster.Spec.Monitoring.MetricsDisabled {
		if err := p.apply.Set(ctx, p.cluster, metricsService(p.cluster)); err != nil {
			return step.None, err
		}
		keep = append(keep, names.MgrService)
	}
	if p.cluster.Spec.Dashboard.Enabled {
		if err := p.apply.Set(ctx, p.cluster, dashboardService(p.cluster)); err != nil {
			return step.None, err
		}
		keep = append(keep, names.MgrDashboardService)
	}
	if err := p.apply.Prune(ctx, p.cluster, &corev1.ServiceList{}, keep...); err != nil {
		return step.None, err
	}
	if p.cluster.Spec.DisruptionManagement.ManagePodBudgets && len(Managers(p.cluster)) > 1 {
		return step.Done, p.apply.Set(ctx, p.cluster, budget(p.cluster))
	}
	return step.Done, p.apply.Prune(ctx, p.cluster, &policyv1.PodDisruptionBudgetList{})
}

// applyManagers applies the Deployments: new ones at once, changed ones one at
// a time, the active one last.
func (p *pass) applyManagers(ctx context.Context) (step.Outcome, error) {
	var outdated []string
	desired := map[string]*appsv1ac.DeploymentApplyConfiguration{}
	for _, name := range Managers(p.cluster) {
		live := p.seen.deployments[name]
		if paused(live) {
			continue
		}
		wanted, err := p.deployment(name, live)
		if err != nil {
			return step.None, err
		}
		desired[name] = wanted
		if live != nil && live.Annotations[annotationTemplate] != wanted.Annotations[annotationTemplate] {
			outdated = append(outdated, name)
			continue
		}
		if err := p.apply.Set(ctx, p.cluster, wanted); err != nil {
			return step.None, err
		}
	}
	if len(outdated) == 0 {
		return step.Done, nil
	}
	p.updating = true
	return p.update(ctx, outdated, desired)
}

func (p *pass) deployment(name string, live *appsv1.Deployment) (*appsv1ac.DeploymentApplyConfiguration, error) {
	cephlet := p.Image
	if live != nil {
		cephlet = daemon.KeepCephlet(&live.Spec.Template, p.cluster.Spec.CephVersion.Image, p.Image)
	}
	wanted := deployment(p.cluster, p.seen.fsid, name, cephlet)
	body, err := encode(wanted)
	if err != nil {
		return nil, fmt.Errorf("encode template of manager %s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	return wanted.WithAnnotations(map[string]string{annotationTemplate: hex.EncodeToString(sum[:8])}), nil
}

// update restarts one outdated manager, when the monitors are done and nobody
// else disturbs the cluster.
func (p *pass) update(ctx context.Context, outdated []string, desired map[string]*appsv1ac.DeploymentApplyConfiguration) (step.Outcome, error) {
	name, fail := NextToUpdate(outdated, p.seen.mgrmap.ActiveName, p.seen.standbys, p.ready())
	live := p.seen.deployments[name]
	spec := p.cluster.Spec.CephVersion.Image
	mons := p.cluster.Status.Daemons[api.RoleMon]
	if image(live) != spec && (mons.Image != spec || mons.Version == "") {
		p.rolling = "Waiting for the monitors to run image " + spec
		return step.Done, nil
	}
	for other, d := range p.seen.deployments {
		if other != name && !settled(d) && p.ready()[name] {
			p.rolling = "Waiting for manager " + other + " to be ready"
			return step.Done, nil
		}
	}
	grant, err := p.Token.Acquire(ctx, p.cluster, purpose, p.Clock.Now())
	if err != nil {
		return step.None, err
	}
	if !grant.Held {
		p.rolling = "Waiting to update manager " + name + ": " + grant.By + " is " + grant.Purpose
		return step.Done, nil
	}
	p.rolling = "Updating manager " + name
	if fail {
		return step.Done, p.seen.client.MgrFail(ctx, name)
	}
	return step.Done, p.apply.Set(ctx, p.cluster, desired[name])
}

// retire stops managers that are no longer specified.
func (p *pass) retire(ctx context.Context) (step.Outcome, error) {
	var keep []string
	for _, name := range Managers(p.cluster) {
		keep = append(keep, names.Mgr(name))
	}
	return step.Done, p.apply.Prune(ctx, p.cluster, &appsv1.DeploymentList{}, keep...)
}

// awaitActive waits for a manager that serves.
func (p *pass) awaitActive(context.Context) (step.Outcome, error) {
	if p.seen.mgrmap.Available {
		return step.Done, nil
	}
	for _, name := range Managers(p.cluster) {
		trouble := podstate.Of(p.seen.pods[name])
		if trouble.Kind == podstate.None {
			continue
		}
		p.warn = true
		reason := api.ReasonManagersStarting
		if trouble.Kind == podstate.Image {
			reason = api.ReasonImageMissing
		}
		return step.Wait(reason, fmt.Sprintf("Manager %s does not run: %s", name, trouble.Message)), nil
	}
	return step.Retry(poll, api.ReasonManagersStarting, "Waiting for one of managers "+problem.Names(Managers(p.cluster))+" to become active"), nil
}

// labelRoles marks the pod of the active manager, which the Services select.
func (p *pass) labelRoles(ctx context.Context) (step.Outcome, error) {
	for name, pods := range p.seen.pods {
		role := roleStandby
		if name == p.seen.mgrmap.ActiveName {
			role = roleActive
		}
		for i := range pods {
			if pods[i].DeletionTimestamp != nil || pods[i].Labels[names.LabelMgrRole] == role {
				continue
			}
			before := pods[i].DeepCopy()
			pods[i].Labels[names.LabelMgrRole] = role
			err := p.Client.Patch(ctx, &pods[i], client.MergeFrom(before), client.FieldOwner(Name))
			if client.IgnoreNotFound(err) != nil {
				return step.None, fmt.Errorf("label pod %s: %w", pods[i].Name, err)
			}
		}
	}
	return step.Done, nil
}

// applyModules turns modules on and off.
func (p *pass) applyModules(ctx context.Context) (step.Outcome, error) {
	seen, err := p.seen.client.MgrModuleList(ctx)
	if err != nil {
		return step.None, err
	}
	plan := DecideModules(p.cluster, seen)
	p.missing = plan.Missing
	for _, name := range plan.Enable {
		err := p.seen.client.MgrModuleEnable(ctx, name, ceph.Unconfirmed)
		if err != nil && !errors.Is(err, ceph.ErrNotFound) && !errors.Is(err, ceph.ErrInvalid) {
			return step.None, err
		}
		if err != nil {
			p.missing[name] = err.Error()
		}
	}
	for _, name := range plan.Disable {
		if err := p.seen.client.MgrModuleDisable(ctx, name); err != nil {
			return step.None, err
		}
	}
	return step.Done, p.applyBalancer(ctx)
}

func (p *pass) applyBalancer(ctx context.Context) error {
	mode := balancerMode(p.cluster)
	if mode == "" {
		return nil
	}
	status, err := p.seen.client.BalancerStatus(ctx)
	if err != nil || status.Mode == mode {
		return err
	}
	return p.seen.client.BalancerMode(ctx, mode)
}

func image(d *appsv1.Deployment) string {
	if d == nil {
		return ""
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == "mgr" {
			return c.Image
		}
	}
	return ""
}

// paused tells whether somebody asked for the Deployment to be left alone.
func paused(d *appsv1.Deployment) bool {
	return d != nil && names.Paused(d.Labels)
}

func settled(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == 1 &&
		d.Status.Replicas == 1 && d.Status.ReadyReplicas == 1
}
