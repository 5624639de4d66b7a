package filesystem

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// connectRetry is how often a silent cluster is tried.
const connectRetry = 2 * time.Second

// mark is what a settled file system is recognized by.
type mark struct {
	generation, clusterGeneration int64
	fsid                          string
	fsEpoch, osdEpoch             uint64
}

// view is what is known of a settled file system.
type view struct {
	mark  mark
	since time.Time
	drift []string
	maps  ceph.FSMap
	// grouped tells that the default group was there.
	grouped bool
}

// findCluster waits for the monitors.
func (p *pass) findCluster(ctx context.Context) (step.Outcome, error) {
	if _, paused := p.fs.Labels[names.LabelDoNotReconcile]; paused {
		return step.Wait(api.ReasonPaused, "Paused by label "+names.LabelDoNotReconcile), nil
	}
	found, err := owner.Of(ctx, p.Client, p.fs.Namespace)
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.fs.Namespace)), nil
	}
	p.cluster = found
	return condition.Await(found, api.ConditionMonitorsInQuorum), nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Sessions.Client(ctx, p.cluster)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for Ceph: the monitors do not answer"), nil
	}
	p.client = found
	return outcome, err
}

// look asks Ceph once whether anything has changed since the file system was
// found settled.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	if err := p.observeObjects(ctx, p.Client); err != nil {
		return step.None, err
	}
	status, err := p.client.Status(ctx)
	if err != nil {
		return step.None, fmt.Errorf("read status: %w", err)
	}
	p.mark = mark{
		generation: p.fs.Generation, clusterGeneration: p.cluster.Generation, fsid: status.FSID,
		fsEpoch: status.FSMap.Epoch, osdEpoch: status.OSDMap.Epoch,
	}
	found, ok := p.known.Load(p.fs.UID)
	known, isView := found.(*view)
	if !ok || !isView || known.mark != p.mark || p.Clock.Since(known.since) >= review {
		return step.Done, nil
	}
	list, err := p.daemons(ctx, known.maps)
	if err != nil {
		return step.None, err
	}
	if plan := daemons.Decide(list); len(plan.Now)+len(plan.Drop)+len(plan.Returning) > 0 || plan.Next+plan.Retire != "" || !p.haveKeys() {
		return step.Done, nil
	}
	p.settled, p.maps, p.drift = known, known.maps, known.drift
	return step.Done, nil
}

// observeObjects reads the Deployments and Secrets of the metadata servers.
func (p *pass) observeObjects(ctx context.Context, reader client.Reader) error {
	var deployments appsv1.DeploymentList
	var secrets corev1.SecretList
	ours := []client.ListOption{client.InNamespace(p.fs.Namespace), client.MatchingLabels{names.LabelApp: daemons.App, names.LabelFilesystem: p.fs.Name}}
	if err := errors.Join(reader.List(ctx, &deployments, ours...), p.Client.List(ctx, &secrets, ours...)); err != nil {
		return fmt.Errorf("list objects of metadata servers: %w", err)
	}
	p.deployments, p.secrets = map[string]*appsv1.Deployment{}, map[string]*corev1.Secret{}
	for i := range deployments.Items {
		if d := &deployments.Items[i]; metav1.IsControlledBy(d, p.fs) {
			p.deployments[d.Labels[names.LabelDaemonID]] = d
		}
	}
	for i := range secrets.Items {
		if s := &secrets.Items[i]; metav1.IsControlledBy(s, p.fs) {
			p.secrets[daemons.OfKeyring(s.Name)] = s
		}
	}
	return nil
}

func (p *pass) haveKeys() bool {
	for _, id := range daemons.IDs(p.fs) {
		if p.secrets[id] == nil {
			return false
		}
	}
	return true
}

// observe reads what Ceph has, and decides about the metadata servers.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	var err error
	if p.maps, err = p.client.FSDump(ctx); err != nil {
		return step.None, fmt.Errorf("read file systems: %w", err)
	}
	if p.pools, err = pools.Read(ctx, p.client); err != nil {
		return step.None, err
	}
	if p.options, err = p.client.ConfigDump(ctx); err != nil {
		return step.None, fmt.Errorf("read stored options: %w", err)
	}
	return step.Done, p.decide(ctx)
}

func (p *pass) decide(ctx context.Context) error {
	list, err := p.daemons(ctx, p.maps)
	p.plan = daemons.Decide(list)
	return err
}

// daemons describes the metadata servers of the spec, and surplus ones.
func (p *pass) daemons(ctx context.Context, maps ceph.FSMap) ([]daemons.Daemon, error) {
	infos := map[string]ceph.MDSInfo{}
	for _, info := range maps.Standbys {
		infos[info.Name] = info
	}
	for _, fs := range maps.Filesystems {
		for _, info := range fs.Map.Info {
			infos[info.Name] = info
		}
	}
	wanted := map[string]bool{}
	var list []daemons.Daemon
	for _, id := range daemons.IDs(p.fs) {
		wanted[id] = true
		d, err := p.daemon(ctx, id)
		if err != nil {
			return nil, err
		}
		d.Wanted, d.State, d.Rank = true, infos[id].State, infos[id].Rank
		list = append(list, d)
	}
	for id, live := range p.deployments {
		if !wanted[id] {
			list = append(list, daemons.Daemon{
				ID: id, Exists: true, Available: available(live), Paused: paused(live), State: infos[id].State, Rank: infos[id].Rank,
			})
		}
	}
	for id := range p.secrets {
		if !wanted[id] && p.deployments[id] == nil {
			list = append(list, daemons.Daemon{ID: id}) // what a crash left behind
		}
	}
	return list, nil
}

func (p *pass) daemon(ctx context.Context, id string) (daemons.Daemon, error) {
	live := p.deployments[id]
	d := daemons.Daemon{ID: id, Exists: live != nil}
	if live == nil {
		return d, nil
	}
	settled, err := p.Apply.Settled(ctx, p.fs, p.desired(id))
	d.Settled, d.Available, d.Paused = settled, available(live), paused(live)
	d.Renewed = cephImage(live) != p.image(live)
	return d, err
}

// found returns the file system in Ceph, or nil.
func (p *pass) found() *ceph.FSMapVolume { return p.maps.Find(p.fs.Name) }

// option returns a stored option of a metadata server.
func (p *pass) option(id, name string) (string, bool) {
	for _, option := range p.options {
		if option.Section == daemons.Entity(id) && option.Name == name && option.Mask == "" {
			return option.Value, true
		}
	}
	return "", false
}

func available(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas > 0 &&
		d.Status.AvailableReplicas > 0 && d.Status.UnavailableReplicas == 0
}

func paused(d *appsv1.Deployment) bool {
	_, found := d.Labels[names.LabelDoNotReconcile]
	return found
}

func cephImage(d *appsv1.Deployment) string {
	for _, container := range d.Spec.Template.Spec.Containers {
		if container.Name == "mds" {
			return container.Image
		}
	}
	return ""
}
