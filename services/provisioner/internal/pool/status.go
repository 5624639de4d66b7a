package pool

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// status publishes what is true of the pool, and tells people once when that
// needs them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.pool.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	before := p.before
	desired := p.conditions(report)
	piece := api.CephBlockPoolStatus{
		Phase:              phase(p.pool, report),
		Info:               p.info(),
		PoolID:             before.PoolID,
		ObservedGeneration: p.pool.Generation,
		UnsupportedFields:  unsupported(&p.pool.Spec.PoolSpec),
		Conditions:         condition.Merge(before.Conditions, p.Clock.Now(), desired...),
	}
	if p.seen.Pool != nil && !p.stranger() {
		id := int64(p.seen.Pool.ID)
		piece.PoolID = &id
	}
	if err := p.apply.Status(ctx, p.pool, piece); err != nil {
		return err
	}
	for _, c := range desired {
		if condition.Changed(before.Conditions, c) {
			p.tell(c)
		}
	}
	return nil
}

// conditions are all that this controller owns; which they are depends only on
// whether the pool is being deleted.
func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.pool.Generation
	ready := condition.From(api.ConditionReady, report, generation)
	reconciling := condition.New(api.ConditionReconciling, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
	stalled := condition.New(api.ConditionStalled, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
	switch {
	case report.IsStalled():
		stalled = condition.New(api.ConditionStalled, metav1.ConditionTrue, report.Reason, report.Message, generation)
	case !report.IsDone():
		reconciling = condition.New(api.ConditionReconciling, metav1.ConditionTrue, ready.Reason, ready.Message, generation)
	case len(p.plan.Drift) > 0:
		message := strings.Join(p.plan.Drift, "; ")
		ready.Reason, ready.Message = api.ReasonDrift, message
		stalled = condition.New(api.ConditionStalled, metav1.ConditionTrue, api.ReasonDrift, message, generation)
	}
	fields := unsupported(&p.pool.Spec.PoolSpec)
	ignored := condition.New(api.ConditionUnsupportedFields, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
	if len(fields) > 0 {
		ignored = condition.New(api.ConditionUnsupportedFields, metav1.ConditionTrue, api.ReasonUnsupportedFields,
			"Nobody acts on "+strings.Join(fields, ", ")+" yet", generation)
	}
	list := []api.Condition{ready, reconciling, stalled, ignored}
	if p.pool.DeletionTimestamp.IsZero() {
		return list
	}
	blocked := condition.DeletionIsBlocked(p.pool, p.blockers, report)
	if len(p.blockers) == 0 {
		blocked.Reason = api.ReasonPoolEmpty
	}
	older := blocked
	older.Type = api.ConditionPoolDeletionIsBlocked
	return append(list, older, blocked)
}

func phase(pool *api.CephBlockPool, report step.Report) api.Phase {
	switch {
	case !pool.DeletionTimestamp.IsZero():
		return api.PhaseDeleting
	case report.IsDone():
		return api.PhaseReady
	case report.IsStalled() || report.Err != nil:
		return api.PhaseFailure
	}
	return api.PhaseProgressing
}

// info is what the printer columns show.
func (p *pass) info() map[string]string {
	if p.seen.Pool == nil || p.stranger() {
		return p.before.Info
	}
	kind := "Replicated"
	if p.seen.Pool.Type == ceph.PoolErasure {
		kind = "Erasure Coded"
	}
	return map[string]string{"type": kind, "failureDomain": pools.FailureDomain(p.seen.Rule)}
}

// tell publishes what a person has to act upon.
func (p *pass) tell(c api.Condition) {
	if p.Events == nil || c.Status != metav1.ConditionTrue {
		return
	}
	switch c.Type {
	case api.ConditionStalled, api.ConditionPoolDeletionIsBlocked, api.ConditionUnsupportedFields:
		p.Events.Eventf(p.pool, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
	}
}
