package quorum

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/identity"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/placement"
)

// observed is what one pass saw.
type observed struct {
	facts       Facts
	identity    identity.Seen
	deployments map[string]*appsv1.Deployment
	services    map[string]*corev1.Service
	claims      map[string]*corev1.PersistentVolumeClaim
	pods        map[string][]corev1.Pod
	endpoints   *corev1.ConfigMap
	client      *ceph.Client
	linkErr     error
}

// observe is the only place that reads.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	seen := observed{
		deployments: map[string]*appsv1.Deployment{}, services: map[string]*corev1.Service{},
		claims: map[string]*corev1.PersistentVolumeClaim{}, pods: map[string][]corev1.Pod{},
	}
	for _, read := range []func(context.Context, *observed) error{
		p.observeMembers, p.observeObjects, p.observePods, p.observeNodes, p.observeQuorum, p.observeIdentity,
	} {
		if err := read(ctx, &seen); err != nil {
			return step.None, err
		}
	}
	p.seen = seen
	return step.Done, nil
}

// observeMembers takes the members from the status, or from the ConfigMap when
// the status is lost or of another operator.
func (p *pass) observeMembers(ctx context.Context, seen *observed) error {
	var endpoints corev1.ConfigMap
	key := client.ObjectKey{Namespace: p.cluster.Namespace, Name: names.MonEndpoints}
	err := p.Client.Get(ctx, key, &endpoints)
	switch {
	case err == nil:
		seen.endpoints = &endpoints
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read ConfigMap %s: %w", names.MonEndpoints, err)
	}
	published, err := parseEndpoints(endpoints.Data["data"], endpoints.Data["mapping"])
	if err != nil {
		return err
	}
	status := p.cluster.Status.Monitors
	facts := &seen.facts
	facts.Members = fromStatus(status)
	if len(facts.Members) == 0 {
		facts.Members = published
	}
	if status != nil {
		facts.Change = status.Change.DeepCopy()
		facts.Avoid = slices.Clone(status.AvoidNodes)
	}
	facts.MaxID = highest(status, endpoints.Data["maxMonId"], facts.Members)
	addHostnames(facts.Members, published)
	connection := p.cluster.Status.Connection
	facts.Born = connection != nil && connection.MonHost != "" || len(published) > 0 && status == nil
	facts.Unpinned = p.cluster.Spec.Mon.VolumeClaimTemplate != nil && !HostNetwork(p.cluster)
	return nil
}

// addHostnames fills in the hostnames that only the ConfigMap tells.
func addHostnames(members, published []Member) {
	for i := range members {
		if at := find(published, members[i].Name); at >= 0 && members[i].Hostname == "" {
			members[i].Hostname = published[at].Hostname
		}
	}
}

// highest returns the highest number that a monitor ever had, -1 without any.
func highest(status *api.MonitorsStatus, recorded string, members []Member) int32 {
	number := int32(-1)
	if status != nil && status.MaxMonID != nil {
		number = *status.MaxMonID
	}
	if parsed, err := strconv.ParseInt(recorded, 10, 32); err == nil {
		number = max(number, int32(parsed))
	}
	for _, member := range members {
		number = max(number, MonNumber(member.Name))
	}
	return number
}

// highestInMap is the same of what the map holds, whoever put it there: a name
// in it is never given to another monitor.
func highestInMap(known int32, monmap ceph.MonMap) int32 {
	for _, mon := range monmap.Mons {
		known = max(known, MonNumber(mon.Name))
	}
	return known
}

func (p *pass) observeObjects(ctx context.Context, seen *observed) error {
	ours := []client.ListOption{
		client.InNamespace(p.cluster.Namespace),
		client.MatchingLabels{names.LabelApp: "rook-ceph-mon", names.LabelCluster: p.cluster.Namespace},
	}
	var deployments appsv1.DeploymentList
	if err := p.Client.List(ctx, &deployments, ours...); err != nil {
		return fmt.Errorf("list Deployments of monitors: %w", err)
	}
	for i := range deployments.Items {
		name := deployments.Items[i].Labels[names.LabelDaemonID]
		if deployments.Items[i].Name != names.Mon(name) {
			continue // a copy that somebody made
		}
		seen.deployments[name] = &deployments.Items[i]
		seen.facts.Deployed = append(seen.facts.Deployed, name)
	}
	slices.Sort(seen.facts.Deployed)
	var services corev1.ServiceList
	if err := p.Client.List(ctx, &services, ours...); err != nil {
		return fmt.Errorf("list Services of monitors: %w", err)
	}
	for i := range services.Items {
		seen.services[services.Items[i].Labels[names.LabelDaemonID]] = &services.Items[i]
	}
	var claims corev1.PersistentVolumeClaimList
	if err := p.Client.List(ctx, &claims, ours...); err != nil {
		return fmt.Errorf("list claims of monitors: %w", err)
	}
	for i := range claims.Items {
		seen.claims[claims.Items[i].Labels[names.LabelDaemonID]] = &claims.Items[i]
	}
	return nil
}

func (p *pass) observePods(ctx context.Context, seen *observed) error {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(p.cluster.Namespace),
		client.MatchingLabels{names.LabelApp: "rook-ceph-mon", names.LabelCluster: p.cluster.Namespace})
	if err != nil {
		return fmt.Errorf("list pods of monitors: %w", err)
	}
	for i := range pods.Items {
		name := pods.Items[i].Labels[names.LabelDaemonID]
		seen.pods[name] = append(seen.pods[name], pods.Items[i])
	}
	return nil
}

func (p *pass) observeNodes(ctx context.Context, seen *observed) error {
	var nodes corev1.NodeList
	if err := p.Client.List(ctx, &nodes); err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	seen.facts.Nodes = nodes.Items
	for i := range seen.facts.Members {
		member := &seen.facts.Members[i]
		at := slices.IndexFunc(nodes.Items, func(n corev1.Node) bool { return n.Name == member.Node })
		if at >= 0 {
			member.Hostname = placement.Hostname(&nodes.Items[at])
		}
	}
	return nil
}

// observeQuorum asks for the quorum. No answer is an observation, no error.
func (p *pass) observeQuorum(ctx context.Context, seen *observed) error {
	session, err := p.Links.Bootstrap(client.ObjectKeyFromObject(p.cluster))
	if err != nil {
		seen.linkErr = err
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	quorum, err := session.QuorumStatus(ctx)
	if err != nil {
		seen.linkErr = err
		return nil
	}
	seen.client, seen.facts.Quorum = &session, &quorum
	seen.facts.MaxID = highestInMap(seen.facts.MaxID, quorum.MonMap)
	return nil
}

// observeIdentity reads the identity; a decision to mint is checked around the
// cache, because a stale read must never make a second cluster.
func (p *pass) observeIdentity(ctx context.Context, seen *observed) error {
	known, err := identity.Observe(ctx, p.Client, p.cluster, len(seen.facts.Members) > 0)
	if err != nil {
		return err
	}
	if action, _ := identity.Decide(known); action != identity.Keep {
		known, err = identity.Observe(ctx, p.Live, p.cluster, len(seen.facts.Members) > 0)
	}
	seen.identity = known
	return err
}

// address returns the address that a monitor has or will have, or "".
func (s *observed) address(cluster *api.CephCluster, member Member) string {
	if member.Address != "" {
		return member.Address
	}
	if HostNetwork(cluster) {
		return s.nodeAddress(member.Node)
	}
	if service := s.services[member.Name]; service != nil && service.Spec.ClusterIP != corev1.ClusterIPNone {
		return service.Spec.ClusterIP
	}
	return ""
}

func (s *observed) nodeAddress(name string) string {
	for i := range s.facts.Nodes {
		if s.facts.Nodes[i].Name != name {
			continue
		}
		for _, address := range s.facts.Nodes[i].Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				return address.Address
			}
		}
	}
	return ""
}
