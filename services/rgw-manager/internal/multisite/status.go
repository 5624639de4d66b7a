package multisite

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Run runs the steps, publishes what came of them, and says when to look again:
// after settled, if all are done.
func (p *Pass) Run(ctx context.Context, settled time.Duration, steps ...step.Step) (ctrl.Result, error) {
	report := step.Run(ctx, steps...)
	result := report.Result()
	switch {
	case report.IsStalled():
		result.RequeueAfter = cmp.Or(report.After, StalledRetry) // what is in the way may go without an edit
	case report.IsDone() && p.Object.GetDeletionTimestamp().IsZero():
		result.RequeueAfter = settled
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

// status publishes what is true of the object, and tells people once when that
// needs them.
func (p *Pass) status(ctx context.Context, report step.Report) error {
	if !p.Object.GetDeletionTimestamp().IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := api.ObjectMultisiteStatus{
		Setup: p.Before.Setup, Sync: p.Sync, ObservedGeneration: p.Object.GetGeneration(), UnsupportedFields: p.Unsupported,
		Phase: p.phase(report, desired[0].Status == metav1.ConditionTrue), Message: desired[0].Message,
		Conditions: condition.Merge(p.Before.Conditions, p.Clock.Now(), desired...),
	}
	if p.Setup != nil {
		piece.Setup = p.Setup
	}
	if err := p.Apply.Status(ctx, p.Object, piece); err != nil {
		return err
	}
	for _, c := range desired {
		if condition.Changed(p.Before.Conditions, c) {
			p.tell(c)
		}
	}
	return nil
}

// conditions are all that the controller owns; Ready is the first.
func (p *Pass) conditions(report step.Report) []api.Condition {
	generation := p.Object.GetGeneration()
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	reconciling, stalled := set(api.ConditionReconciling, false, "", ""), set(api.ConditionStalled, false, "", "")
	drift := strings.Join(p.Drift, "; ")
	switch {
	case report.IsStalled():
		stalled = set(api.ConditionStalled, true, report.Reason, report.Message)
	case !report.IsDone():
		reconciling = set(api.ConditionReconciling, true, ready.Reason, ready.Message)
	case drift != "":
		ready.Reason, ready.Message = api.ReasonDrift, drift
		stalled = set(api.ConditionStalled, true, api.ReasonDrift, drift)
	}
	list := []api.Condition{
		ready, reconciling, stalled,
		set(api.ConditionUnsupportedFields, len(p.Unsupported) > 0, api.ReasonUnsupportedFields, api.UnsupportedMessage(p.Unsupported)),
	}
	if p.Object.GetDeletionTimestamp().IsZero() {
		return list
	}
	return append(list, condition.DeletionIsBlocked(p.Object, p.blockers, report))
}

func (p *Pass) phase(report step.Report, ready bool) api.Phase {
	switch {
	case !p.Object.GetDeletionTimestamp().IsZero():
		return api.PhaseDeleting
	case ready:
		return api.PhaseReady
	case report.IsStalled() || report.Err != nil:
		return api.PhaseFailure
	}
	return api.PhaseProgressing
}

// tell publishes what a person has to act upon.
func (p *Pass) tell(c api.Condition) {
	if c.Status != metav1.ConditionTrue {
		return
	}
	switch c.Type {
	case api.ConditionStalled, api.ConditionDeletionIsBlocked, api.ConditionUnsupportedFields:
		p.Events.Eventf(p.Object, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
	}
}
