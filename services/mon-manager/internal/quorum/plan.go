package quorum

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/placement"
)

// joinTimeout is how long an added monitor may take before it is given up.
const joinTimeout = 10 * time.Minute

// Facts are what Decide looks at.
type Facts struct {
	Members []Member
	MaxID   int32
	Change  *api.MonitorChange
	Nodes   []corev1.Node
	// Born is whether the cluster ever had a quorum that was published.
	Born bool
	// Quorum is the quorum with its monmap; nil when nobody answers.
	Quorum *ceph.QuorumStatus
	// Deployed are the monitors that have a Deployment.
	Deployed []string
	// Unpinned is true when stores are on volumes: the scheduler places.
	Unpinned bool
	// Avoid are the nodes from which a new monitor did not join lately.
	Avoid []string
}

// Plan is what to do about the monitors.
type Plan struct {
	Members []Member
	MaxID   int32
	Change  *api.MonitorChange
	// Avoid are nodes that new monitors get only if there is no other.
	Avoid []string
	// Retire is the monitor to stop and to take out of the map.
	Retire string
	// Blocked is why the spec is not reached although nothing is under way;
	// Done when it is reached or being worked on.
	Blocked step.Outcome
}

// Decide says which monitors there shall be and which change to make next. It
// is pure: the same facts give the same plan.
func Decide(cluster *api.CephCluster, facts Facts, now time.Time) Plan {
	plan := Plan{
		Members: slices.Clone(facts.Members), MaxID: facts.MaxID, Change: facts.Change, Blocked: step.Done,
		Avoid: slices.Clone(facts.Avoid),
	}
	if !facts.Born {
		return plan.bootstrap(cluster, facts)
	}
	if facts.Quorum == nil {
		return plan // without quorum nothing is changed
	}
	plan.observe(facts.Quorum, now)
	if plan.Change != nil {
		return plan.resume(cluster, facts, now)
	}
	return plan.begin(cluster, facts, now)
}

// Count returns the specified number of monitors.
func Count(cluster *api.CephCluster) int {
	return cluster.Spec.MonCount()
}

// bootstrap places the first monitors, all at once. Once they are placed the
// set stays: their stores carry it.
func (p Plan) bootstrap(cluster *api.CephCluster, facts Facts) Plan {
	if len(p.Members) > 0 {
		return p
	}
	for len(p.Members) < Count(cluster) {
		member, refusals := p.place(cluster, facts)
		if len(refusals) > 0 {
			p.Blocked = unschedulable(Count(cluster)-len(p.Members), refusals)
			return p
		}
		p.Members = append(p.Members, member)
		p.MaxID++
	}
	return p
}

// place chooses a node for the next monitor, or says why there is none.
func (p Plan) place(cluster *api.CephCluster, facts Facts) (Member, []placement.Refusal) {
	member := Member{Name: MonName(p.MaxID + 1)}
	if facts.Unpinned {
		return member, nil
	}
	asked := request(cluster, facts.Nodes, p.Members)
	asked.Avoid = map[string]string{}
	for _, name := range p.Avoid {
		asked.Avoid[name] = "is where a new monitor did not join lately"
	}
	choice, refusals := placement.Choose(asked)
	if choice.Node == "" && len(p.Avoid) > 0 {
		asked.Avoid = nil // better than none
		choice, refusals = placement.Choose(asked)
	}
	if choice.Node == "" {
		if len(refusals) == 0 {
			refusals = []placement.Refusal{{Node: "(none)", Reason: "exists"}}
		}
		return Member{}, refusals
	}
	member.Node, member.Hostname, member.Zone = choice.Node, choice.Hostname, choice.Zone
	return member, nil
}

func request(cluster *api.CephCluster, nodes []corev1.Node, members []Member) placement.Request {
	asked := placement.Request{
		Nodes: nodes, Placement: daemon.Placement(cluster, api.KeyMon), Share: cluster.Spec.Mon.AllowMultiplePerNode,
	}
	asked.Domain, asked.Zones = Domain(cluster)
	for _, member := range members {
		if member.Node != "" {
			asked.Taken = append(asked.Taken, member.Node)
		}
	}
	if HostNetwork(cluster) {
		asked.Share = false // two monitors cannot share one address
	}
	return asked
}

// Domain returns the node label across which monitors spread, and the values
// that may be used.
func Domain(cluster *api.CephCluster) (string, []string) {
	mon := cluster.Spec.Mon
	label, zones := mon.FailureDomainLabel, mon.Zones
	if mon.StretchCluster != nil {
		label, zones = mon.StretchCluster.FailureDomainLabel, mon.StretchCluster.Zones
	}
	if label == "" && len(zones) > 0 {
		label = corev1.LabelTopologyZone
	}
	var values []string
	for _, zone := range zones {
		values = append(values, zone.Name)
	}
	return label, values
}

// HostNetwork tells whether monitors use the network of their node.
func HostNetwork(cluster *api.CephCluster) bool {
	return cluster.Spec.Network.UsesHostNetwork()
}

func unschedulable(missing int, refusals []placement.Refusal) step.Outcome {
	return step.Wait(api.ReasonMonitorsUnschedulable, fmt.Sprintf(
		"No node for %d of the monitors: %s; add nodes, or change spec.mon or spec.placement", missing, placement.Sentence(refusals)))
}

// observe notes who is in quorum, and since when others are not.
func (p *Plan) observe(quorum *ceph.QuorumStatus, now time.Time) {
	for i := range p.Members {
		member := &p.Members[i]
		in := slices.Contains(quorum.QuorumNames, member.Name)
		member.InQuorum = &in
		switch {
		case in:
			member.OutSince = nil
		case member.OutSince == nil:
			since := metav1.NewTime(now.UTC().Truncate(time.Second))
			member.OutSince = &since
		}
	}
}

// begin starts the next change, if there is one to make.
func (p Plan) begin(cluster *api.CephCluster, facts Facts, now time.Time) Plan {
	for _, next := range []func(*api.CephCluster, Facts, time.Time) (Plan, bool){
		p.stale, p.replaceDead, p.surplus, p.missing, p.crowded,
	} {
		if plan, decided := next(cluster, facts, now); decided {
			return plan
		}
	}
	if len(outOfQuorum(p.Members, facts.Quorum)) == 0 {
		p.Avoid = nil // all is well: what failed once may be tried again
	}
	return p
}

// stale removes what the monmap holds and nobody knows. A stranger in quorum
// is left alone: somebody runs it on purpose.
func (p Plan) stale(cluster *api.CephCluster, facts Facts, now time.Time) (Plan, bool) {
	for _, mon := range facts.Quorum.MonMap.Mons {
		if find(p.Members, mon.Name) >= 0 || slices.Contains(cluster.Spec.Mon.ExternalMonIDs, mon.Name) {
			continue
		}
		if inQuorum(facts.Quorum, mon.Name) || slices.Contains(facts.Deployed, mon.Name) {
			p.Blocked = step.Wait(api.ReasonStaleMonitors, fmt.Sprintf(
				"Monitor %s is in the monitor map, but not one of ours; name it in spec.mon.externalMonIDs or remove it with `ceph mon remove %s`", mon.Name, mon.Name))
			return p, true
		}
		if !SafeToRemove(facts.Quorum, mon.Name) {
			continue
		}
		p.Change = p.removal(mon.Name, api.ReasonStaleMonitors, now)
		return p, true
	}
	return p, false
}

// replaceDead replaces a monitor whose node is gone, or which has been out of
// quorum for too long.
func (p Plan) replaceDead(cluster *api.CephCluster, facts Facts, now time.Time) (Plan, bool) {
	timeout := OutTimeout(cluster)
	for _, member := range sorted(p.Members) {
		if inQuorum(facts.Quorum, member.Name) {
			continue
		}
		reason := proofOfDeath(facts.Nodes, member)
		switch {
		case reason != "":
		case timeout > 0 && member.OutSince != nil && now.Sub(member.OutSince.Time) >= timeout:
			reason = "OutOfQuorum"
		default:
			continue
		}
		if len(p.Members) > Count(cluster) {
			return p.remove(facts, member.Name, reason, now), true
		}
		return p.replace(cluster, facts, member, reason, now), true
	}
	return p, false
}

func (p Plan) replace(cluster *api.CephCluster, facts Facts, old Member, reason string, now time.Time) Plan {
	left := p
	left.Members = p.Members
	if proofOfDeath(facts.Nodes, old) != "" {
		left.Members = without(p.Members, old.Name) // its domain is free again
	}
	fresh, refusals := left.place(cluster, facts)
	if len(refusals) > 0 {
		p.Blocked = step.Wait(api.ReasonMonitorsUnschedulable, fmt.Sprintf(
			"Monitor %s (%s) cannot be replaced: %s", old.Name, reason, placement.Sentence(refusals)))
		return p
	}
	p.Members = append(p.Members, fresh)
	p.MaxID++
	p.Change = &api.MonitorChange{
		Op: api.MonitorReplace, Mon: old.Name, Replacement: fresh.Name, Node: fresh.Node, Reason: reason, StartedAt: stamp(now),
	}
	return p
}

// surplus removes one monitor too many: one that is out of quorum first, else the
// youngest.
func (p Plan) surplus(cluster *api.CephCluster, facts Facts, now time.Time) (Plan, bool) {
	if len(p.Members) <= Count(cluster) {
		return p, false
	}
	list := sorted(p.Members)
	slices.Reverse(list)
	victim := list[0]
	for _, member := range list {
		if !inQuorum(facts.Quorum, member.Name) {
			victim = member
			break
		}
	}
	return p.remove(facts, victim.Name, "CountReduced", now), true
}

func (p Plan) remove(facts Facts, name, reason string, now time.Time) Plan {
	if !SafeToRemove(facts.Quorum, name) {
		p.Blocked = step.Wait(api.ReasonMonitorsOutOfQuorum, fmt.Sprintf(
			"Monitor %s is not removed: the monitors left in quorum would be no majority of those left in the map", name))
		return p
	}
	p.Change = p.removal(name, reason, now)
	return p
}

// missing adds one monitor. A monitor that is out of quorum comes first: with
// one more in the map it would take more to keep the quorum.
func (p Plan) missing(cluster *api.CephCluster, facts Facts, now time.Time) (Plan, bool) {
	count := Count(cluster)
	if len(p.Members) >= count {
		return p, false
	}
	if out := outOfQuorum(p.Members, facts.Quorum); len(out) > 0 {
		p.Blocked = step.Wait(api.ReasonMonitorsOutOfQuorum, "Monitors "+problem.Names(out)+" are out of quorum; others are added once they are back")
		return p, true
	}
	fresh, refusals := p.place(cluster, facts)
	if len(refusals) > 0 {
		p.Blocked = unschedulable(count-len(p.Members), refusals)
		return p, true
	}
	p.Members = append(p.Members, fresh)
	p.MaxID++
	p.Change = &api.MonitorChange{Op: api.MonitorAdd, Mon: fresh.Name, Node: fresh.Node, Reason: "CountRaised", StartedAt: stamp(now)}
	return p, true
}

// crowded moves one of two monitors that share a node although the spec does
// not allow it, once there is a node for it.
func (p Plan) crowded(cluster *api.CephCluster, facts Facts, now time.Time) (Plan, bool) {
	if request(cluster, facts.Nodes, nil).Share || len(outOfQuorum(p.Members, facts.Quorum)) > 0 {
		return p, false
	}
	seen := map[string]bool{}
	for _, member := range sorted(p.Members) {
		if member.Node == "" || !seen[member.Node] {
			seen[member.Node] = true
			continue
		}
		fresh, refusals := p.place(cluster, facts)
		if len(refusals) > 0 {
			return p, false
		}
		p.Members = append(p.Members, fresh)
		p.MaxID++
		p.Change = &api.MonitorChange{
			Op: api.MonitorMove, Mon: member.Name, Replacement: fresh.Name, Node: fresh.Node, Reason: "SharedNode", StartedAt: stamp(now),
		}
		return p, true
	}
	return p, false
}

func (p Plan) removal(name, reason string, now time.Time) *api.MonitorChange {
	return &api.MonitorChange{Op: api.MonitorRemove, Mon: name, Reason: reason, StartedAt: stamp(now)}
}

// OutTimeout returns after how long a monitor out of quorum is replaced without
// proof of its death; 0 means never.
func OutTimeout(cluster *api.CephCluster) time.Duration {
	check := cluster.Spec.HealthCheck.DaemonHealth.Monitor
	if timeout, err := time.ParseDuration(check.Timeout); check.Disabled || err == nil && timeout == 0 {
		return 0
	}
	return cluster.Spec.MonOutTimeout()
}
