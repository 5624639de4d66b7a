package group

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// The keys of status.info.
const (
	infoPinning   = "pinning"
	infoClusterID = "clusterID"
)

// pinning is how a spec pins a group, in Ceph's words.
func pinning(spec api.SubVolumeGroupPinning) (kind, setting string) {
	switch {
	case spec.Export != nil:
		return ceph.PinExport, strconv.Itoa(int(*spec.Export))
	case spec.Random != nil:
		return ceph.PinRandom, strconv.FormatFloat(*spec.Random, 'g', -1, 64)
	case spec.Distributed != nil:
		return ceph.PinDistributed, strconv.Itoa(int(*spec.Distributed))
	}
	return ceph.PinDistributed, "1"
}

// status publishes what is true of the group, and tells people once when that
// needs them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.group.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := api.CephFilesystemSubVolumeGroupStatus{
		Phase: phase(p.group, report), Info: p.info(), ObservedGeneration: p.group.Generation,
		Conditions: condition.Merge(p.before.Conditions, p.Clock.Now(), desired...),
	}
	if err := p.Apply.Status(ctx, p.group, piece); err != nil {
		return err
	}
	for _, c := range desired {
		blocks := c.Type == api.ConditionStalled || c.Type == api.ConditionDeletionIsBlocked
		if blocks && c.Status == metav1.ConditionTrue && condition.Changed(p.before.Conditions, c) {
			p.Events.Eventf(p.group, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
		}
	}
	return nil
}

// info remembers how the group is pinned; a pass that did not look keeps that.
func (p *pass) info() map[string]string {
	info := map[string]string{}
	if id := p.published(); id != "" {
		info[infoClusterID] = id
	}
	pinned := p.pinned
	if p.seen == nil && pinned == "" && !p.missing {
		pinned = p.before.Info[infoPinning]
	}
	if pinned != "" {
		info[infoPinning] = pinned
	}
	return info
}

func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.group.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	needsPerson := report.Reason == api.ReasonQuotaBelowUse || report.Reason == api.ReasonInvalidSpec
	stalled := set(api.ConditionStalled, needsPerson, report.Reason, report.Message)
	if report.IsDone() && p.drift != "" {
		ready.Reason, ready.Message = api.ReasonDrift, p.drift
		stalled = set(api.ConditionStalled, true, api.ReasonDrift, p.drift)
	}
	list := []api.Condition{ready, set(api.ConditionReconciling, !report.IsDone() && !needsPerson, ready.Reason, ready.Message), stalled}
	if p.group.DeletionTimestamp.IsZero() {
		return list
	}
	return append(list, condition.DeletionIsBlocked(p.group, p.blockers, report))
}

func phase(group *api.CephFilesystemSubVolumeGroup, report step.Report) api.Phase {
	switch {
	case !group.DeletionTimestamp.IsZero():
		return api.PhaseDeleting
	case report.IsDone():
		return api.PhaseReady
	case report.Err != nil || report.Reason == api.ReasonQuotaBelowUse || report.Reason == api.ReasonInvalidSpec:
		return api.PhaseFailure
	}
	return api.PhaseProgressing
}
