package rollout

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// poll is how soon to ask Ceph again.
	poll = 5 * time.Second
	// maxParallel is how many OSDs of one failure domain are changed at once by default.
	maxParallel = 20
	purpose     = "update OSDs"
)

// desired is the Deployment as it should be; our own image changes only along
// with something else.
func (p *pass) desired(s subject) *appsv1ac.DeploymentApplyConfiguration {
	return deployment(s, keep(s.live, p.Image), Image(p.cluster))
}

// renewed is desired with our newest image.
func (p *pass) renewed(s subject) *appsv1ac.DeploymentApplyConfiguration {
	return deployment(s, p.Image, Image(p.cluster))
}

// writeNow writes what needs nobody's leave.
func (p *pass) writeNow(ctx context.Context) (step.Outcome, error) {
	var problems problem.List
	for _, id := range p.plan.Now {
		problems.Add(p.Apply.Set(ctx, p.cluster, p.renewed(p.subjects[id])))
	}
	return step.Done, problems.Err()
}

// finish gives the token back when all changes are made and all OSDs are back.
func (p *pass) finish(ctx context.Context) (step.Outcome, error) {
	if len(p.plan.Next) > 0 {
		return step.Done, nil
	}
	held, err := p.Token.Held(ctx, p.cluster, p.Clock.Now())
	if err != nil || !held {
		return step.Done, err
	}
	if len(p.plan.Returning) == 0 {
		return step.Done, p.Token.Release(ctx, p.cluster)
	}
	if _, err := p.Token.Acquire(ctx, p.cluster, purpose, p.Clock.Now()); err != nil {
		return step.None, err
	}
	return p.awaitReturn(), nil
}

func (p *pass) awaitReturn() step.Outcome {
	return step.Retry(poll, api.ReasonUpgrading, "Waiting for "+osdNames(p.plan.Returning)+" to come back")
}

// look reads the Deployments again, past the cache: a cache that lags behind
// our own last change must not let us make the next one.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	if len(p.plan.Next) == 0 {
		return step.Done, nil
	}
	if outcome, err := p.observeWith(ctx, p.Live); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if len(p.plan.Now) > 0 || len(p.plan.Returning) > 0 {
		return step.Retry(poll, api.ReasonUpgrading, "Waiting for "+osdNames(append(p.plan.Now, p.plan.Returning...))+" to come back"), nil
	}
	return step.Done, nil
}

// update changes the OSDs of one failure domain, if nothing is lost by it.
func (p *pass) update(ctx context.Context) (step.Outcome, error) {
	if len(p.plan.Next) == 0 {
		return step.Done, nil
	}
	conn, outcome, err := p.Sessions.Client(ctx, p.cluster)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	status, err := conn.Status(ctx)
	if err != nil {
		return step.None, fmt.Errorf("read status: %w", err)
	}
	if outcome, err := p.leave(ctx, Unclean(status, p.cluster)); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	ids, outcome, err := p.stoppable(ctx, conn)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.change(ctx, ids)
}

// leave takes the disruption token, and looks at the placement groups that lack
// something.
func (p *pass) leave(ctx context.Context, lacking int) (step.Outcome, error) {
	if p.cluster.Spec.UpgradeOSDRequiresHealthyPGs && lacking > 0 {
		return step.Retry(poll, api.ReasonUpgrading, "Waiting for placement groups to be clean (spec.upgradeOSDRequiresHealthyPGs)"), nil
	}
	grant, err := p.Token.AcquireNoting(ctx, p.cluster, purpose, strconv.Itoa(lacking), p.Clock.Now())
	if err != nil {
		return step.None, err
	}
	if !grant.Held {
		return step.Retry(poll, api.ReasonDisrupted, fmt.Sprintf("Waiting for %s: %s", grant.By, grant.Purpose)), nil
	}
	if worse(lacking, grant.Note) && !p.cluster.Spec.SkipUpgradeChecks {
		return step.Retry(poll, api.ReasonUpgrading, "Waiting for placement groups to recover from the restart before"), nil
	}
	return step.Done, nil
}

// stoppable returns those of Next that Ceph lets stop together.
func (p *pass) stoppable(ctx context.Context, conn ceph.Client) ([]int, step.Outcome, error) {
	if p.cluster.Spec.SkipUpgradeChecks {
		return p.plan.Next, step.Done, nil
	}
	most := int(p.cluster.Spec.Storage.OSDMaxUpdatesInParallel)
	if most == 0 {
		most = maxParallel
	}
	for count := min(most, len(p.plan.Next)); count > 0; count /= 2 {
		ids := p.plan.Next[:count]
		_, err := conn.OSDOKToStop(ctx, 0, ids...)
		switch {
		case err == nil:
			return ids, step.Done, nil
		case !errors.Is(err, ceph.ErrBusy) && !errors.Is(err, ceph.ErrAgain):
			return nil, step.None, fmt.Errorf("ask whether %s may stop: %w", osdNames(ids), err)
		}
	}
	return nil, step.Retry(poll, api.ReasonUpgrading, "Waiting for Ceph: osd ok-to-stop refuses "+osdNames(p.plan.Next[:1])), nil
}

func (p *pass) change(ctx context.Context, ids []int) (step.Outcome, error) {
	for _, id := range ids {
		if err := p.Apply.Set(ctx, p.cluster, p.renewed(p.subjects[id])); err != nil {
			return step.None, err
		}
		p.Events.Eventf(p.cluster, p.subjects[id].osd, corev1.EventTypeNormal, "OSDUpdated", "UpdateOSD", "Updated osd.%d on node %s", id, p.subjects[id].osd.Spec.Node)
	}
	return step.Retry(poll, api.ReasonUpgrading, "Waiting for "+osdNames(ids)+" to come back"), nil
}

// patience is how long to wait for an OSD to come back.
func patience(cluster *api.CephCluster) time.Duration {
	const standard = 10 * time.Minute
	if minutes := cluster.Spec.WaitTimeoutForHealthyOSDInMinutes; minutes > 0 {
		return time.Duration(minutes) * time.Minute
	}
	return standard
}

func osdNames(ids []int) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = "osd." + strconv.Itoa(id)
	}
	return problem.Names(list)
}

// Domain is the failure domain of an OSD: its host.
func Domain(osd *inventory.CephOSD) string {
	for _, bucket := range osd.Spec.CrushLocation {
		if bucket.Type == "host" {
			return bucket.Name
		}
	}
	return osd.Spec.Node
}

func nodeOf(nodes []corev1.Node, name string) *corev1.Node {
	for i := range nodes {
		if nodes[i].Name == name {
			return &nodes[i]
		}
	}
	return nil
}

func deploymentOf(list []appsv1.Deployment, id string) *appsv1.Deployment {
	for i := range list {
		if list[i].Name == names.OSD(id) {
			return &list[i]
		}
	}
	return nil
}

// clusterChanged passes what Deployments are made from.
func clusterChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*api.CephCluster)
		after, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || before.Generation != after.Generation || Image(before) != Image(after) ||
			(before.Status.Connection == nil) != (after.Status.Connection == nil)
	}}
}

// osdChanged passes what Deployments are made from.
func osdChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*inventory.CephOSD)
		after, isAfter := e.ObjectNew.(*inventory.CephOSD)
		return !isBefore || !isAfter || before.Generation != after.Generation || fleet.Prepared(before) != fleet.Prepared(after)
	}}
}
