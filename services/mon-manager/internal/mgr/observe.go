package mgr

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/podstate"
)

// observed is what one pass saw.
type observed struct {
	fsid        string
	client      *ceph.Client
	mgrmap      ceph.MgrMap
	standbys    []string
	deployments map[string]*appsv1.Deployment
	pods        map[string][]corev1.Pod
}

// observe reads our objects and the mgr map. Without an answer from Ceph there
// is nothing to do: the monitors come first.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	p.seen = observed{deployments: map[string]*appsv1.Deployment{}, pods: map[string][]corev1.Pod{}}
	ours := []client.ListOption{client.InNamespace(p.cluster.Namespace), client.MatchingLabels(match(p.cluster, nil))}
	var deployments appsv1.DeploymentList
	if err := p.Client.List(ctx, &deployments, ours...); err != nil {
		return step.None, fmt.Errorf("list Deployments of managers: %w", err)
	}
	for i := range deployments.Items {
		name := deployments.Items[i].Labels[names.LabelDaemonID]
		if deployments.Items[i].Name == names.Mgr(name) { // and no copy that somebody made
			p.seen.deployments[name] = &deployments.Items[i]
		}
	}
	var pods corev1.PodList
	if err := p.Client.List(ctx, &pods, ours...); err != nil {
		return step.None, fmt.Errorf("list pods of managers: %w", err)
	}
	for i := range pods.Items {
		name := pods.Items[i].Labels[names.LabelDaemonID]
		p.seen.pods[name] = append(p.seen.pods[name], pods.Items[i])
	}
	if at := p.cluster.Status.Connection; at != nil {
		p.seen.fsid = at.FSID
	}
	session, err := p.Links.Session(client.ObjectKeyFromObject(p.cluster))
	if err == nil && p.seen.fsid != "" {
		return p.observeCeph(ctx, session)
	}
	return step.Wait(api.ReasonWaiting, "Waiting for monitors: nobody answers yet"), nil
}

func (p *pass) observeCeph(ctx context.Context, session ceph.Client) (step.Outcome, error) {
	mgrmap, err := session.MgrDump(ctx)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Wait(api.ReasonWaiting, "Waiting for monitors: they do not answer"), nil
	}
	if err != nil {
		return step.None, err
	}
	p.seen.client, p.seen.mgrmap = &session, mgrmap
	for _, standby := range mgrmap.Standbys {
		p.seen.standbys = append(p.seen.standbys, standby.Name)
	}
	return step.Done, nil
}

func (p *pass) ready() map[string]bool {
	ready := map[string]bool{}
	for name, pods := range p.seen.pods {
		ready[name] = podstate.Ready(pods)
	}
	return ready
}
