package store

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// reasonNoBuckets is that of DeletionIsBlocked once somebody who knows has said that
// no bucket is left. It lasts while the gateways, who could be asked again, go.
const reasonNoBuckets = "NoBuckets"

// status publishes what is true of the store, and tells people once when that needs
// them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.store.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := api.CephObjectStoreStatus{
		Setup: p.before.Setup, Replicas: p.before.Replicas,
		ObservedGeneration: p.store.Generation,
		UnsupportedFields:  api.UnsupportedObjectStoreFields(&p.store.Spec),
		Conditions:         condition.Merge(p.before.Conditions, p.Clock.Now(), desired...),
	}
	if p.setup != nil {
		piece.Setup = p.setup
	}
	p.describe(&piece)
	piece.Phase, piece.Message = phase(p.store, report, desired[0].Status == metav1.ConditionTrue), desired[0].Message
	if err := p.Apply.Status(ctx, p.store, piece); err != nil {
		return err
	}
	for _, c := range desired {
		if condition.Changed(p.before.Conditions, c) {
			p.tell(c)
		}
	}
	return nil
}

// describe says where the store is and how many gateways it has.
func (p *pass) describe(piece *api.CephObjectStoreStatus) {
	if !p.store.Spec.Gateway.External() {
		piece.Selector = labels.SelectorFromSet(gateway.Selector(p.store)).String()
	}
	if p.deployment != nil {
		piece.Replicas = p.deployment.Status.AvailableReplicas
	}
	endpoints := gateway.Endpoints(p.store)
	if len(endpoints.Insecure)+len(endpoints.Secure) == 0 {
		return
	}
	piece.Endpoints, piece.Info = &endpoints, map[string]string{}
	if len(endpoints.Insecure) > 0 {
		piece.Info[api.ObjectInfoEndpoint] = endpoints.Insecure[0]
	}
	if len(endpoints.Secure) > 0 {
		piece.Info[api.ObjectInfoSecureEndpoint] = endpoints.Secure[0]
	}
}

// conditions are all that this controller owns; which they are depends only on
// whether the store is being deleted. Ready is the first.
func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.store.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	reconciling, stalled := set(api.ConditionReconciling, false, "", ""), set(api.ConditionStalled, false, "", "")
	if p.available(report) {
		ready.Status = metav1.ConditionTrue
	}
	drift := strings.Join(p.drift, "; ")
	switch {
	case report.IsStalled():
		stalled = set(api.ConditionStalled, true, report.Reason, report.Message)
	case !report.IsDone():
		reconciling = set(api.ConditionReconciling, true, ready.Reason, ready.Message)
	case drift != "":
		ready.Reason, ready.Message = api.ReasonDrift, drift
		stalled = set(api.ConditionStalled, true, api.ReasonDrift, drift)
	}
	fields := api.UnsupportedObjectStoreFields(&p.store.Spec)
	list := []api.Condition{
		ready, reconciling, stalled,
		set(api.ConditionUnsupportedFields, len(fields) > 0, api.ReasonUnsupportedFields, api.UnsupportedMessage(fields)),
	}
	if p.store.DeletionTimestamp.IsZero() {
		return list
	}
	blocked := condition.DeletionIsBlocked(p.store, p.blockers, report)
	if p.emptied {
		blocked.Reason = reasonNoBuckets
	}
	return append(list, blocked)
}

// available tells whether clients have what they need, whatever else the pass waits
// for: a store that answered stays ready while its gateways run, unless it is they
// who do not answer.
func (p *pass) available(report step.Report) bool {
	if report.IsDone() {
		return true
	}
	return p.store.DeletionTimestamp.IsZero() && p.runs() && condition.IsTrue(p.before.Conditions, api.ConditionReady) &&
		!slices.Contains([]string{api.ReasonGatewaysStarting, api.ReasonGatewayUnreachable, api.ReasonGatewayRefused}, report.Reason)
}

func phase(store *api.CephObjectStore, report step.Report, ready bool) api.Phase {
	switch {
	case !store.DeletionTimestamp.IsZero():
		return api.PhaseDeleting
	case report.IsDone() || ready:
		return api.PhaseReady
	case report.IsStalled() || report.Err != nil:
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
		p.Events.Eventf(p.store, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
	}
}
