package quorum

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/podstate"
)

// annotationTemplate names the pod template that we last applied, so that a
// change of it is seen before it is made.
const annotationTemplate = "ceph.rook.io/template"

// minSafeToStop is the number of monitors from which on one can be stopped
// without losing the quorum. Below, an update has to interrupt.
const minSafeToStop = 3

// applyMonitors applies the Deployments. New ones and those that do not serve
// are applied at once; those that serve one at a time, while the others keep
// the quorum and we hold the disruption token.
func (p *pass) applyMonitors(ctx context.Context) (step.Outcome, error) {
	for _, member := range sorted(p.plan.Members) {
		if p.gone(member) {
			continue
		}
		desired, err := p.deployment(member)
		if err != nil {
			return step.None, err
		}
		now, waiting, err := p.mayApply(ctx, member, desired)
		if err != nil {
			return step.None, err
		}
		if !now {
			p.rolling = waiting
			continue
		}
		if err := p.applyClaim(ctx, member); err != nil {
			return step.None, err
		}
		if err := p.apply.Set(ctx, p.cluster, desired); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
}

// gone tells whether the monitor is left as it is: its node does not exist any
// more, it was stopped to be removed, or somebody asked for its Deployment to be
// left alone.
func (p *pass) gone(member Member) bool {
	live := p.seen.deployments[member.Name]
	if live != nil && names.Paused(live.Labels) {
		return true
	}
	if p.retiring(member.Name) {
		return true
	}
	return live != nil && member.Node != "" && !hasNode(p.seen.facts.Nodes, member.Node)
}

func (p *pass) deployment(member Member) (*appsv1ac.DeploymentApplyConfiguration, error) {
	desired := deployment(p.withImage(p.image(member)), p.identity().FSID, member, p.cephlet(member))
	body, err := json.Marshal(desired.Spec.Template)
	if err != nil {
		return nil, fmt.Errorf("encode template of monitor %s: %w", member.Name, err)
	}
	sum := sha256.Sum256(body)
	return desired.WithAnnotations(map[string]string{annotationTemplate: hex.EncodeToString(sum[:8])}), nil
}

// mayApply tells whether the Deployment may be applied now, or what it waits for.
func (p *pass) mayApply(ctx context.Context, member Member, desired *appsv1ac.DeploymentApplyConfiguration) (bool, string, error) {
	live := p.seen.deployments[member.Name]
	if live == nil || live.Annotations[annotationTemplate] == desired.Annotations[annotationTemplate] {
		return true, "", nil
	}
	if p.hold != "" && image(live) != p.cluster.Spec.CephVersion.Image {
		return false, p.hold, nil
	}
	if p.seen.facts.Born && errors.Is(p.seen.linkErr, link.ErrNotConnected) {
		return false, "Waiting to update monitor " + member.Name + ": nobody has asked Ceph yet", nil
	}
	quorum := p.seen.facts.Quorum
	serves := inQuorum(quorum, member.Name) || quorum == nil && podstate.Ready(p.seen.pods[member.Name])
	if !serves {
		return true, "", nil // it can only get better
	}
	waiting := "Waiting to update monitor " + member.Name
	if reason := p.unsettled(waiting); reason != "" {
		return false, reason, nil
	}
	return p.askToStop(ctx, member, waiting)
}

// unsettled returns why no monitor that serves may be stopped now, if so.
func (p *pass) unsettled(waiting string) string {
	switch {
	case p.seen.facts.Quorum == nil:
		return waiting + ": without a quorum no monitor is stopped"
	case p.rolling != "":
		return p.rolling
	case p.plan.Change != nil:
		return waiting + ": a change of the monitors is in flight"
	case len(p.plan.Members) >= minSafeToStop && !p.allServe():
		return waiting + ": others are out of quorum or not ready"
	}
	return ""
}

// allServe tells whether all monitors are in quorum and their Deployments
// have settled.
func (p *pass) allServe() bool {
	if len(outOfQuorum(p.plan.Members, p.seen.facts.Quorum)) > 0 {
		return false
	}
	for _, member := range p.plan.Members {
		if live := p.seen.deployments[member.Name]; live != nil && !settled(live) {
			return false
		}
	}
	return true
}

func settled(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == 1 &&
		d.Status.Replicas == 1 && d.Status.ReadyReplicas == 1
}

// daemons says which image and version all monitors run; empty while they differ.
func (p *pass) daemons() api.DaemonStatus {
	common := ""
	for _, member := range p.plan.Members {
		if p.retiring(member.Name) {
			continue
		}
		live := p.seen.deployments[member.Name]
		if live == nil || !settled(live) || common != "" && common != image(live) {
			return api.DaemonStatus{}
		}
		common = image(live)
	}
	status := api.DaemonStatus{Image: common}
	if known := p.status.version; known != nil && known.Image == common {
		status.Version = known.Version
	}
	return status
}
