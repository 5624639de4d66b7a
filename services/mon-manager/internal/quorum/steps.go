package quorum

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/identity"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/podstate"
)

const (
	// poll is the time between two looks at what only Ceph can tell, where the
	// link's own watch might miss it.
	poll = 10 * time.Second
	// diskPatience is for how long a new cluster waits for discover to tell
	// whether the disks are of an earlier one.
	diskPatience = time.Minute
)

// applyIdentity mints the identity once, or keeps it, or refuses to go on.
func (p *pass) applyIdentity(ctx context.Context) (step.Outcome, error) {
	action, reason := identity.Decide(p.seen.identity)
	switch action {
	case identity.Refuse:
		return step.Stall(api.ReasonIdentityLost, reason), p.keepConnection(ctx)
	case identity.New:
		if p.cluster.DeletionTimestamp != nil {
			return step.Wait(api.ReasonClusterDeleting, "The CephCluster is being deleted before it was set up"), nil
		}
		if silent := p.seen.identity.Silent; len(silent) > 0 && p.Clock.Now().Before(p.firstSeen().Add(diskPatience)) {
			return step.Retry(time.Second, api.ReasonWaiting,
				"Waiting for discover to report the disks of nodes "+problem.Names(silent)+": one may hold an earlier cluster"), nil
		}
		if err := p.mint(ctx); err != nil {
			return step.None, err
		}
	case identity.Keep:
	}
	secrets := identity.Secrets(p.cluster.Namespace, p.identity())
	if err := p.apply.Set(ctx, p.cluster, secrets...); err != nil {
		return step.None, err
	}
	return step.Done, nil
}

// firstSeen is when the cluster was first looked at, as its condition tells.
func (p *pass) firstSeen() time.Time {
	if found := condition.Find(p.cluster.Status.Conditions, api.ConditionMonitorsInQuorum); found != nil {
		return found.LastTransitionTime.Time
	}
	return p.Clock.Now()
}

// mint makes the identity and creates its Secret. Create, and not apply: a
// Secret that is there after all must win.
func (p *pass) mint(ctx context.Context) error {
	minted, err := identity.Mint(p.Random, p.Clock.Now())
	if err != nil {
		return err
	}
	secret, err := identity.NewSecret(p.cluster, minted, p.Client.Scheme())
	if err != nil {
		return err
	}
	if err := p.Client.Create(ctx, secret, client.FieldOwner(Name)); err != nil {
		return fmt.Errorf("create Secret %s: %w", names.MonSecret, err)
	}
	p.seen.identity.Known, p.seen.identity.Secret, p.seen.identity.Ours = minted, true, true
	return nil
}

func (p *pass) identity() identity.Identity { return p.seen.identity.Known }

// decide plans, and persists the intention before anything is done about it.
func (p *pass) decide(ctx context.Context) (step.Outcome, error) {
	p.plan = Decide(p.cluster, p.seen.facts, p.Clock.Now())
	p.status.monitors(p.plan)
	if err := p.persist(ctx); err != nil {
		return step.None, err
	}
	if len(p.plan.Members) == 0 {
		return p.plan.Blocked, nil
	}
	return step.Done, nil
}

// applyAddresses gives every monitor an address that outlives its pods. Where a
// monitor of a cluster that lives cannot have its address back the pass goes on
// and tells of it in the end: the quorum of the others is not to suffer.
func (p *pass) applyAddresses(ctx context.Context) (step.Outcome, error) {
	for i := range p.plan.Members {
		member := &p.plan.Members[i]
		if !HostNetwork(p.cluster) {
			err := p.applyService(ctx, *member)
			if apierrors.IsInvalid(err) && member.Address != "" {
				p.addresses.Addf("give monitor %s its address %s back: %w", member.Name, member.Address, err)
				continue
			}
			if err != nil {
				return step.None, err
			}
		}
		member.Address = p.seen.address(p.cluster, *member)
		if member.Address == "" {
			return step.Wait(api.ReasonMonitorsStarting, "Waiting for an address for monitor "+member.Name), nil
		}
	}
	p.status.monitors(p.plan)
	return step.Done, nil
}

// applyService makes the Service and learns its address at once, around the cache.
func (p *pass) applyService(ctx context.Context, member Member) error {
	if err := p.apply.Set(ctx, p.cluster, monService(p.cluster, member)); err != nil {
		return err
	}
	if p.seen.services[member.Name] != nil {
		return nil
	}
	service := &corev1.Service{}
	key := client.ObjectKey{Namespace: p.cluster.Namespace, Name: names.Mon(member.Name)}
	if err := p.Live.Get(ctx, key, service); err != nil {
		return fmt.Errorf("read Service %s: %w", key.Name, err)
	}
	p.seen.services[member.Name] = service
	return nil
}

// publishEndpoints writes where the monitors are: all of the first ones while
// the cluster is being born, afterwards those that the monmap holds.
func (p *pass) publishEndpoints(ctx context.Context) (step.Outcome, error) {
	facts := p.seen.facts
	if facts.Born && facts.Quorum == nil && p.seen.endpoints != nil {
		return step.Done, nil // who is left is not known: what was published stands
	}
	members := p.plan.Members
	if facts.Born && facts.Quorum != nil {
		members = Publishable(p.plan.Members, facts.Quorum)
	}
	if len(members) == 0 {
		return step.Done, nil // an empty list is never published
	}
	var out []string
	for _, member := range members {
		if member.OutSince != nil {
			out = append(out, member.Name)
		}
	}
	slices.Sort(out)
	return step.Done, p.apply.Set(ctx, p.cluster,
		endpointsMap(p.cluster, members, p.plan.MaxID, strings.Join(out, ",")),
		configSecret(p.cluster, members, facts.Born))
}

// awaitRunning waits for the pods while the cluster is being born, and says
// what keeps them from running.
func (p *pass) awaitRunning(context.Context) (step.Outcome, error) {
	var starting []string
	for _, member := range sorted(p.plan.Members) {
		if inQuorum(p.seen.facts.Quorum, member.Name) || podstate.Running(p.seen.pods[member.Name]) {
			continue
		}
		starting = append(starting, member.Name)
	}
	if p.seen.facts.Quorum != nil || len(p.plan.Members)-len(starting) > len(p.plan.Members)/2 {
		return step.Done, nil // enough of them to ask Ceph
	}
	if outcome, found := p.trouble(starting); found {
		return outcome, nil
	}
	return step.Wait(api.ReasonMonitorsStarting, "Waiting for monitors "+problem.Names(starting)+" to run"), nil
}

// trouble words what keeps pods of these monitors from running. It is looked at
// again: whether a monitor was away for too long is for the clock to tell.
func (p *pass) trouble(monitors []string) (step.Outcome, bool) {
	for _, name := range monitors {
		found := podstate.Of(p.seen.pods[name])
		p.warn = p.warn || found.Kind != podstate.None
		message := fmt.Sprintf("Monitor %s does not run: %s", name, found.Message)
		switch found.Kind {
		case podstate.None:
			continue
		case podstate.Image:
			return step.Retry(poll, api.ReasonImageMissing, message), true
		case podstate.Unschedulable:
			return step.Retry(poll, api.ReasonMonitorsUnschedulable, message), true
		case podstate.Crashing, podstate.Config:
			return step.Retry(poll, api.ReasonMonitorsStarting, message), true
		}
	}
	return step.Done, false
}

// unreachable says which monitors cannot have their address.
func (p *pass) unreachable() (step.Outcome, bool) {
	err := p.addresses.Err()
	if err == nil {
		return step.Done, false
	}
	return step.Retry(poll, api.ReasonError, "Cannot "+err.Error()), true
}

// awaitQuorum waits until every monitor of the plan is in quorum.
func (p *pass) awaitQuorum(context.Context) (step.Outcome, error) {
	if p.seen.facts.Quorum == nil {
		if p.seen.facts.Born && errors.Is(p.seen.linkErr, link.ErrNotConnected) {
			p.quiet = true // nobody asked yet: what was written stands
			return step.Wait(api.ReasonPending, "Connecting"), nil
		}
		if outcome, found := p.unreachable(); found {
			return outcome, nil
		}
		if outcome, found := p.trouble(memberNames(p.plan.Members)); found {
			return outcome, nil
		}
		if p.seen.facts.Born {
			return step.Retry(poll, api.ReasonQuorumLost, fmt.Sprintf(
				"No majority of monitors %s answers: %s", problem.Names(memberNames(p.plan.Members)), cause(p.seen.linkErr))), nil
		}
		return step.Retry(poll, api.ReasonMonitorsStarting,
			"Waiting for monitors "+problem.Names(memberNames(p.plan.Members))+" to form a quorum"), nil
	}
	p.status.publish(p.cluster, p.plan.Members, p.seen.facts.Quorum, p.identity().FSID)
	return step.Done, nil
}

// applyBudget lets evictions happen only while all is well.
func (p *pass) applyBudget(ctx context.Context) (step.Outcome, error) {
	if !p.cluster.Spec.DisruptionManagement.ManagePodBudgets || len(p.plan.Members) < 3 {
		return step.Done, p.pruneBudget(ctx)
	}
	away := len(outOfQuorum(p.plan.Members, p.seen.facts.Quorum))
	if p.plan.Change != nil {
		away++
	}
	return step.Done, p.apply.Set(ctx, p.cluster, budget(p.cluster, len(p.plan.Members), away))
}

// settled ends a pass: is every specified monitor in quorum, and nothing else?
func (p *pass) settled(ctx context.Context) (step.Outcome, error) {
	if err := p.pruneMonitors(ctx); err != nil {
		return step.None, err
	}
	if outcome, found := p.unreachable(); found {
		return outcome, nil
	}
	if change := p.plan.Change; change != nil {
		return p.changing(*change), nil
	}
	out := outOfQuorum(p.plan.Members, p.seen.facts.Quorum)
	if blocked := p.plan.Blocked; !blocked.IsDone() {
		if len(out) > 0 { // one may have to be replaced in a while
			blocked = step.Retry(poll, blocked.Reason, blocked.Message)
		}
		return blocked, nil
	}
	if len(out) > 0 {
		if outcome, found := p.trouble(out); found {
			return outcome, nil
		}
		return step.Retry(poll, api.ReasonMonitorsOutOfQuorum, fmt.Sprintf("Monitors %s are out of quorum", problem.Names(out))), nil
	}
	if p.rolling != "" || len(p.returning()) > 0 {
		return step.Done, nil // the quorum is whole; the update goes on
	}
	return step.Done, p.Token.Release(ctx, p.cluster)
}

func (p *pass) changing(change api.MonitorChange) step.Outcome {
	name := change.Mon
	if change.Replacement != "" {
		name = change.Replacement
	}
	if outcome, found := p.trouble([]string{name}); found && change.Op != api.MonitorRemove {
		return outcome
	}
	message := map[api.MonitorChangeOperation]string{
		api.MonitorAdd:     "Waiting for new monitor " + name + " to join",
		api.MonitorReplace: "Waiting for monitor " + name + " to join in place of " + change.Mon + " (" + change.Reason + ")",
		api.MonitorMove:    "Waiting for monitor " + name + " to join in place of " + change.Mon + " (" + change.Reason + ")",
		api.MonitorRemove:  "Removing monitor " + name + " (" + change.Reason + ")",
	}[change.Op]
	return step.Retry(poll, api.ReasonMonitorsStarting, message)
}

// applyClaim makes the claim for a store that is on a volume. What a claim asks
// for is fixed once it is made.
func (p *pass) applyClaim(ctx context.Context, member Member) error {
	if template(p.cluster, member) == nil || p.seen.claims[member.Name] != nil {
		return nil
	}
	wanted, err := claim(p.cluster, member)
	if err != nil {
		return err
	}
	return p.apply.Set(ctx, p.cluster, wanted)
}

// cephlet returns the image that brings the cephlet into a monitor's pod.
func (p *pass) cephlet(member Member) string {
	live := p.seen.deployments[member.Name]
	if live == nil {
		return p.Image
	}
	return daemon.KeepCephlet(&live.Spec.Template, p.cluster.Spec.CephVersion.Image, p.Image)
}

// cause words why Ceph did not answer, without what differs from try to try.
func cause(err error) string {
	if err == nil {
		return "no answer"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}
