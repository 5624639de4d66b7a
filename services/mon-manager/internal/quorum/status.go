package quorum

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// pieces are the parts of the status that this controller owns. It always
// sends all of them.
type pieces struct {
	connection *api.Connection
	members    *api.MonitorsStatus
	version    *api.ClusterVersion
	daemon     api.DaemonStatus
}

func piecesOf(cluster *api.CephCluster) pieces {
	return pieces{
		connection: cluster.Status.Connection.DeepCopy(),
		members:    cluster.Status.Monitors.DeepCopy(),
		version:    cluster.Status.CephVersion.DeepCopy(),
		daemon:     cluster.Status.Daemons[api.RoleMon],
	}
}

// monitors notes the members, and the change in flight.
func (s *pieces) monitors(plan Plan) {
	if len(plan.Members) == 0 {
		return
	}
	highest := plan.MaxID
	s.members = &api.MonitorsStatus{Members: toStatus(plan.Members), MaxMonID: &highest, Change: plan.Change, AvoidNodes: plan.Avoid}
}

// publish notes how clients reach the cluster, from the monmap itself.
func (s *pieces) publish(cluster *api.CephCluster, members []Member, quorum *ceph.QuorumStatus, fsid string) {
	known := Publishable(members, quorum)
	if len(known) == 0 {
		return
	}
	connection := &api.Connection{
		FSID: fsid, MonHost: monHost(known, onlyV2(cluster)), MonmapEpoch: int64(quorum.MonMap.Epoch),
	}
	for _, member := range sorted(known) {
		endpoint := api.MonitorEndpoint{Name: member.Name, Address: member.Address, V2Port: PortV2}
		if !onlyV2(cluster) {
			endpoint.V1Port = PortV1
		}
		connection.Endpoints = append(connection.Endpoints, endpoint)
	}
	s.connection = connection
}

// Publishable returns the members whose names the monmap holds and whose address
// we know, each address once.
func Publishable(members []Member, quorum *ceph.QuorumStatus) []Member {
	inMap := map[string]bool{}
	for _, mon := range quorum.MonMap.Mons {
		inMap[mon.Name] = true
	}
	var known []Member
	taken := map[string]bool{}
	for _, member := range sorted(members) {
		if inMap[member.Name] && member.Address != "" && !taken[member.Address] {
			taken[member.Address] = true
			known = append(known, member)
		}
	}
	return known
}

// persist writes the intention before its first effect, and fails the pass if
// that cannot be done.
func (p *pass) persist(ctx context.Context) error {
	if equality.Semantic.DeepEqual(p.status.members, p.cluster.Status.Monitors) {
		return nil
	}
	if err := p.send(ctx, condition.Find(p.cluster.Status.Conditions, api.ConditionMonitorsInQuorum)); err != nil {
		return err
	}
	p.cluster.Status.Monitors = p.status.members.DeepCopy()
	return nil
}

// stands tells whether the intention is still what is stored.
func (p *pass) stands(ctx context.Context) (bool, error) {
	now := &api.CephCluster{}
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.cluster), now)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return now.UID == p.cluster.UID && now.Status.Monitors != nil &&
		equality.Semantic.DeepEqual(now.Status.Monitors.Change, p.plan.Change), nil
}

// writeStatus writes what the pass found.
func (p *pass) writeStatus(ctx context.Context, report step.Report) error {
	if p.quiet {
		return nil
	}
	if len(p.plan.Members) > 0 {
		p.status.daemon = p.daemons()
	}
	found := condition.From(api.ConditionMonitorsInQuorum, report, p.cluster.Generation)
	if report.IsDone() && report.Err == nil {
		found.Reason, found.Message = p.standing()
	}
	merged := condition.Merge(p.cluster.Status.Conditions, p.Clock.Now(), found)
	if err := p.send(ctx, &merged[0]); err != nil {
		return err
	}
	p.announce(found)
	return nil
}

// standing words a quorum that is whole, and what is still to come.
func (p *pass) standing() (reason, message string) {
	message = fmt.Sprintf("%d of %d monitors are in quorum", len(p.plan.Members), Count(p.cluster))
	switch {
	case p.hold != "" && (p.holdReason != api.ReasonDetectingVersion || p.rolling != ""):
		return p.holdReason, message + ". " + p.hold
	case p.rolling != "":
		return api.ReasonUpgrading, message + ". " + p.rolling
	}
	return api.ReasonAsExpected, message
}

// send writes our pieces. It is a conflict when the CephCluster is another one than
// the pass read: whoever slept while somebody else led has to look again.
func (p *pass) send(ctx context.Context, found *api.Condition) error {
	status := api.ClusterStatus{
		Connection: p.status.connection, Monitors: p.status.members, CephVersion: p.status.version,
	}
	if found != nil {
		status.Conditions = []api.Condition{*found}
	}
	if p.status.daemon != (api.DaemonStatus{}) {
		status.Daemons = map[string]api.DaemonStatus{api.RoleMon: p.status.daemon}
	}
	seen := versioned{liveClient{p.Client, p.Live}, &p.cluster.ResourceVersion}
	applier := apply.Applier{Client: seen, Manager: Name}
	return applier.Status(ctx, p.cluster, status)
}
