package mgr

import (
	"context"
	"fmt"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// writeStatus writes what the pass found; all pieces of this controller, always.
func (p *pass) writeStatus(ctx context.Context, report step.Report) error {
	found := condition.From(api.ConditionManagerActive, report, p.cluster.Generation)
	if report.IsDone() && report.Err == nil {
		found.Message = p.message()
		switch {
		case len(p.missing) > 0:
			found.Reason = api.ReasonModulesMissing
		case p.updating:
			found.Reason, found.Message = api.ReasonUpgrading, found.Message+". "+p.rolling
		}
	}
	p.announce(found)
	status := api.ClusterStatus{
		Conditions: condition.Merge(p.cluster.Status.Conditions, p.Clock.Now(), found),
		Managers:   p.managers(),
	}
	if d := p.daemons(); d != (api.DaemonStatus{}) {
		status.Daemons = map[string]api.DaemonStatus{api.RoleMgr: d}
	}
	if err := p.apply.Status(ctx, p.cluster, status); err != nil {
		return err
	}
	if report.IsDone() && p.rolling == "" && len(p.restarting()) == 0 {
		return p.Token.Release(ctx, p.cluster)
	}
	return nil
}

func (p *pass) message() string {
	text := "Manager " + p.seen.mgrmap.ActiveName + " is active"
	var missing []string
	for name, reason := range p.missing {
		missing = append(missing, fmt.Sprintf("module %s is off: %s", name, reason))
	}
	if len(missing) > 0 {
		text += "; " + problem.Sentence(missing)
	}
	return text
}

func (p *pass) managers() *api.ManagersStatus {
	if p.seen.client == nil {
		return p.cluster.Status.Managers.DeepCopy()
	}
	m := p.seen.mgrmap
	available := m.Available
	status := &api.ManagersStatus{
		Active: m.ActiveName, Available: &available,
		Standbys: slices.Clone(p.seen.standbys), Modules: slices.Clone(m.Modules), Services: m.Services,
	}
	sort.Strings(status.Standbys)
	sort.Strings(status.Modules)
	return status
}

// daemons says which image and version all managers run, when they agree.
func (p *pass) daemons() api.DaemonStatus {
	if p.seen.client == nil {
		return p.cluster.Status.Daemons[api.RoleMgr]
	}
	common := ""
	for _, name := range Managers(p.cluster) {
		live := p.seen.deployments[name]
		if live == nil || common != "" && common != image(live) {
			return api.DaemonStatus{}
		}
		if !settled(live) && live.Status.UpdatedReplicas == 0 {
			return api.DaemonStatus{}
		}
		common = image(live)
	}
	status := api.DaemonStatus{Image: common}
	if known := p.cluster.Status.CephVersion; known != nil && known.Image == common {
		status.Version = known.Version
	}
	return status
}

// announce publishes an event when the condition changes its status or reason.
func (p *pass) announce(found api.Condition) {
	old := condition.Find(p.cluster.Status.Conditions, found.Type)
	if old != nil && old.Status == found.Status && old.Reason == found.Reason || found.Reason == api.ReasonWaiting {
		return
	}
	typ, reason := corev1.EventTypeNormal, found.Reason
	if p.warn {
		typ = corev1.EventTypeWarning
	}
	switch found.Reason {
	case api.ReasonImageMissing, api.ReasonModulesMissing, api.ReasonError:
		typ = corev1.EventTypeWarning
	}
	if found.Status == metav1.ConditionTrue && found.Reason == api.ReasonAsExpected {
		reason = found.Type
	}
	p.Events.Eventf(p.cluster, nil, typ, reason, "Reconcile", "%s", found.Message)
}
