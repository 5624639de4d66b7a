package claim

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// people are the reasons that only a person can do something about.
var people = []string{
	api.ReasonInvalidSpec, api.ReasonConfigNotAllowed, api.ReasonNameTaken, api.ReasonDrift, api.ReasonGatewayRefused,
	api.ReasonDependents, reasonObjectsLocked,
}

// status publishes what is true of the claim, and tells people once when that needs
// them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.claim.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := objectbucket.ObjectBucketClaimStatus{
		Phase: p.phase(report), BucketName: p.before.BucketName, ObjectBucketName: p.before.ObjectBucketName,
		ObservedGeneration: p.claim.Generation,
		Conditions:         condition.Merge(p.before.Conditions, p.Clock.Now(), desired...),
	}
	if p.record != nil {
		piece.ObjectBucketName = p.record.Name
		if p.record.Spec.Endpoint != nil {
			piece.BucketName = p.record.Spec.Endpoint.BucketName
		}
	}
	if err := p.Apply.Status(ctx, p.claim, piece); err != nil {
		return err
	}
	p.tell(desired, piece)
	return nil
}

func (p *pass) tell(desired []api.Condition, now objectbucket.ObjectBucketClaimStatus) {
	for _, c := range desired {
		if c.Type == api.ConditionStalled && c.Status == metav1.ConditionTrue && condition.Changed(p.before.Conditions, c) {
			p.Events.Eventf(p.claim, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
		}
	}
	if now.Phase == objectbucket.ObjectBucketClaimBound && p.before.Phase != now.Phase {
		p.Events.Eventf(p.claim, nil, corev1.EventTypeNormal, "Bound", "Reconcile", "Bound bucket %s", now.BucketName)
	}
}

func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.claim.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	person := slices.Contains(people, report.Reason)
	return []api.Condition{
		ready,
		set(api.ConditionReconciling, !report.IsDone() && !person, ready.Reason, ready.Message),
		set(api.ConditionStalled, person, ready.Reason, ready.Message),
	}
}

// phase is what consumers wait for. A claim that is bound stays bound whatever becomes
// of a later change: its bucket and its keys are there.
func (p *pass) phase(report step.Report) objectbucket.ObjectBucketClaimPhase {
	switch {
	case !p.claim.DeletionTimestamp.IsZero():
		return objectbucket.ObjectBucketClaimReleased
	case report.IsDone(), p.before.Phase == objectbucket.ObjectBucketClaimBound:
		return objectbucket.ObjectBucketClaimBound
	case slices.Contains(people, report.Reason):
		return objectbucket.ObjectBucketClaimFailed
	}
	return objectbucket.ObjectBucketClaimPending
}
