package user

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// people are the reasons that only a person can do something about.
var people = []string{
	api.ReasonInvalidSpec, api.ReasonNamespaceNotAllowed, api.ReasonNameTaken, api.ReasonKeyTaken, api.ReasonSecretMissing,
	api.ReasonSecretInvalid, api.ReasonGatewayRefused,
}

// note records the keys of a user that is about to be made.
func (p *pass) note(ctx context.Context) error {
	p.now.KeyHashes = p.hashes()
	return p.status(ctx, step.Report{Outcome: step.Retry(missingRetry, api.ReasonWaiting, "The user is being made")})
}

// status publishes what is true of the user, and tells people once when that needs
// them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.user.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := p.now
	piece.Phase, piece.Message = p.phase(report), desired[0].Message
	piece.ObservedGeneration = p.user.Generation
	piece.UnsupportedFields = api.UnsupportedObjectUserFields(&p.user.Spec)
	piece.Conditions = condition.Merge(p.before.Conditions, p.Clock.Now(), desired...)
	if err := p.Apply.Status(ctx, p.user, piece); err != nil {
		return err
	}
	for _, c := range desired {
		if condition.Changed(p.before.Conditions, c) {
			p.tell(c)
		}
	}
	p.before.Conditions, p.said = piece.Conditions, piece
	return nil
}

// conditions are all that this controller owns. Ready is the first.
func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.user.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	person := slices.Contains(people, report.Reason)
	fields := api.UnsupportedObjectUserFields(&p.user.Spec)
	list := []api.Condition{
		ready,
		set(api.ConditionReconciling, !report.IsDone() && !person, ready.Reason, ready.Message),
		set(api.ConditionStalled, person, ready.Reason, ready.Message),
		set(api.ConditionUnsupportedFields, len(fields) > 0, api.ReasonUnsupportedFields, api.UnsupportedMessage(fields)),
	}
	if p.user.DeletionTimestamp.IsZero() {
		return list
	}
	blocked := set(api.ConditionDeletionIsBlocked, report.Reason == api.ReasonBucketsExist, report.Reason, report.Message)
	if blocked.Status != metav1.ConditionTrue {
		blocked.Reason = api.ReasonNoDependents
	}
	return append(list, blocked)
}

func (p *pass) phase(report step.Report) api.Phase {
	switch {
	case !p.user.DeletionTimestamp.IsZero():
		return api.PhaseDeleting
	case report.IsDone():
		return api.PhaseReady
	case slices.Contains(people, report.Reason) || report.Err != nil:
		return api.PhaseFailure
	}
	return api.PhaseProgressing
}

// tell publishes what a person has to act upon.
func (p *pass) tell(c api.Condition) {
	if c.Status != metav1.ConditionTrue {
		return
	}
	switch c.Type {
	case api.ConditionStalled, api.ConditionDeletionIsBlocked, api.ConditionUnsupportedFields:
		p.Events.Eventf(p.user, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
	}
}
