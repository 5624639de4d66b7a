package drain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/rollout"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// flagNoOut keeps OSDs that are down from being marked out.
const flagNoOut = "noout"

// pass is one look at one cluster.
type pass struct {
	*Reconciler
	cluster *api.CephCluster
	seen    Observed
	// conn is set when Ceph was asked.
	conn *ceph.Client
	// unanswered is why Ceph did not answer; budgets are kept without it.
	unanswered error
	next       State
}

// observe reads Kubernetes and what was begun.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	var osds inventory.CephOSDList
	var nodes corev1.NodeList
	var live appsv1.DeploymentList
	inNamespace := client.InNamespace(p.cluster.Namespace)
	err := errors.Join(
		p.Client.List(ctx, &osds, inNamespace),
		p.Client.List(ctx, &nodes),
		p.Client.List(ctx, &live, inNamespace, client.MatchingLabels{names.LabelApp: pod.AppOSD}),
	)
	if err != nil {
		return step.None, fmt.Errorf("list objects of OSDs: %w", err)
	}
	cordoned := map[string]bool{}
	for i := range nodes.Items {
		cordoned[nodes.Items[i].Name] = nodes.Items[i].Spec.Unschedulable
	}
	runs := map[string]bool{}
	for i := range live.Items {
		runs[live.Items[i].Name] = rollout.Available(&live.Items[i])
	}
	for _, osd := range fleet.Of(p.cluster, osds.Items) {
		available, exists := runs[names.OSD(fleet.ID(&osd))]
		if fleet.Prepared(&osd) && exists {
			p.seen.Daemons = append(p.seen.Daemons, Daemon{
				ID: int(*osd.Spec.ID), Domain: rollout.Domain(&osd), Cordoned: cordoned[osd.Spec.Node], Available: available,
			})
		}
	}
	return p.recall(ctx)
}

// recall reads what was begun.
func (p *pass) recall(ctx context.Context) (step.Outcome, error) {
	noted := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: p.cluster.Namespace, Name: stateMap}
	err := p.Live.Get(ctx, key, noted)
	if client.IgnoreNotFound(err) != nil {
		return step.None, fmt.Errorf("read ConfigMap %s: %w", key, err)
	}
	if err == nil {
		p.seen.State = read(noted)
	}
	return step.Done, nil
}

// ask decides, with what Ceph says if there is anything to decide.
func (p *pass) ask(ctx context.Context) (step.Outcome, error) {
	if p.seen.State.Domain != "" || len(Candidates(p.seen.Daemons)) > 0 {
		conn, outcome, err := p.Sessions.Client(ctx, p.cluster)
		if err == nil && outcome.IsDone() {
			p.conn = &conn
			p.seen.Facts, err = p.facts(ctx, conn)
		}
		p.unanswered = err
	}
	if !p.managed() {
		p.seen.Daemons = nil // nobody is to be held back: what was begun ends
		p.next = State{}
		return step.Done, nil
	}
	p.next = Decide(p.seen, timeout(p.cluster), p.Clock.Now())
	return step.Done, nil
}

func (p *pass) managed() bool { return p.cluster.Spec.DisruptionManagement.ManagePodBudgets }

// facts asks whether the data is whole, and which of the domains may stop.
func (p *pass) facts(ctx context.Context, conn ceph.Client) (Facts, error) {
	status, err := conn.Status(ctx)
	if err != nil {
		return Facts{}, fmt.Errorf("read status: %w", err)
	}
	osdmap, err := conn.OSDDump(ctx)
	if err != nil {
		return Facts{}, fmt.Errorf("read OSD map: %w", err)
	}
	facts := Facts{Known: true, Clean: rollout.Unclean(status, p.cluster) == 0, NoOut: map[string]bool{}, Refused: map[string]bool{}}
	for domain, flags := range osdmap.CrushNodeFlags {
		facts.NoOut[domain] = slices.Contains(flags, flagNoOut)
	}
	for _, domain := range Candidates(p.seen.Daemons) {
		if domain == p.seen.State.Domain {
			continue // it drains already
		}
		if facts.Refused[domain], err = p.refused(ctx, conn, osdmap, domain); err != nil {
			return Facts{}, err
		}
	}
	return facts, nil
}

// refused tells whether Ceph does not let the OSDs of a domain that are still up
// stop together.
func (p *pass) refused(ctx context.Context, conn ceph.Client, osdmap ceph.OSDMap, domain string) (bool, error) {
	var up []int
	for _, osd := range osdmap.OSDs {
		if bool(osd.Up) && slices.ContainsFunc(p.seen.Daemons, func(d Daemon) bool { return d.ID == osd.ID && d.Domain == domain }) {
			up = append(up, osd.ID)
		}
	}
	if len(up) == 0 {
		return false, nil
	}
	_, err := conn.OSDOKToStop(ctx, 0, up...)
	if errors.Is(err, ceph.ErrBusy) || errors.Is(err, ceph.ErrAgain) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask whether %s may stop: %w", domain, err)
	}
	return false, nil
}

// unsetNoOut takes the flag back before it is forgotten that it is ours.
func (p *pass) unsetNoOut(ctx context.Context) (step.Outcome, error) {
	was := p.seen.State
	if !was.NoOut || ours(p.next, was.Domain) {
		return step.Done, nil
	}
	if p.conn == nil {
		return step.Retry(poll, api.ReasonWaiting, "Waiting for mon-manager: "+flagNoOut+" of "+was.Domain+" has to be taken back"), nil
	}
	// A host that is gone from CRUSH took its flag along.
	err := p.conn.OSDUnsetGroup(ctx, flagNoOut, was.Domain)
	if err != nil && !errors.Is(err, ceph.ErrInvalid) {
		return step.None, fmt.Errorf("unset %s of %s: %w", flagNoOut, was.Domain, err)
	}
	return step.Done, nil
}

// note writes down what is about to be done, and tells people.
func (p *pass) note(ctx context.Context) (step.Outcome, error) {
	was, now := p.seen.State, p.next
	if was == now {
		return step.Done, nil
	}
	if err := p.Apply.Set(ctx, p.cluster, note(p.cluster, now)); err != nil {
		return step.None, err
	}
	if was.Domain != "" && was.Domain != now.Domain {
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeNormal, "DrainEnded", "Drain", "Ended the drain of %s: OSDs of any host may be evicted again", was.Domain)
	}
	switch {
	case now.Domain != "" && was.Domain != now.Domain:
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeNormal, "DrainStarted", "Drain", "Let %s drain: OSDs of other hosts are not evicted until its OSDs are back and data is whole", now.Domain)
	case now.Waiting != "" && was.Waiting != now.Waiting:
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeWarning, "DrainWaits", "Drain", "%s", now.Waiting)
	}
	return step.Done, nil
}

// applyBudgets makes the new budgets before it deletes the others: a pod with
// two is not evicted, one with none is.
func (p *pass) applyBudgets(ctx context.Context) (step.Outcome, error) {
	var keep []string
	if p.managed() {
		for _, one := range budgets(p.cluster, p.seen.Daemons, p.next) {
			if err := p.Apply.Set(ctx, p.cluster, one); err != nil {
				return step.None, err
			}
			keep = append(keep, *one.Name)
		}
	}
	return step.Done, p.Apply.Prune(ctx, p.cluster, &policyv1.PodDisruptionBudgetList{}, keep...)
}

// setNoOut keeps the OSDs of the domain that drains from being marked out.
func (p *pass) setNoOut(ctx context.Context) (step.Outcome, error) {
	if !p.next.NoOut || p.conn == nil || !p.seen.Facts.Known || p.seen.Facts.NoOut[p.next.Domain] {
		return step.Done, nil
	}
	if err := p.conn.OSDSetGroup(ctx, flagNoOut, p.next.Domain); err != nil {
		return step.None, fmt.Errorf("set %s of %s: %w", flagNoOut, p.next.Domain, err)
	}
	return step.Done, nil
}

// timeout is how long OSDs of a domain that drains are not marked out.
func timeout(cluster *api.CephCluster) time.Duration {
	const standard = 30 * time.Minute
	if minutes := cluster.Spec.DisruptionManagement.OSDMaintenanceTimeout; minutes > 0 {
		return time.Duration(minutes) * time.Minute
	}
	return standard
}
