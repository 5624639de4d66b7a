package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
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

// mark is what a settled store is recognized by.
type mark struct {
	generation, clusterGeneration int64
	fsid                          string
	osdEpoch                      uint64
	site                          gateway.Site
	// secrets changes with what the Secrets that the spec names hold.
	secrets string
}

// view is what is known of a settled store.
type view struct {
	mark  mark
	since time.Time
	drift []string
}

// own tells whether the store is a zone of its own.
func (p *pass) own() bool { return p.store.Spec.ZoneName() == "" }

// findAnyCluster finds the cluster of the namespace, in whatever state.
func (p *pass) findAnyCluster(ctx context.Context) (step.Outcome, error) {
	if names.Paused(p.store.Labels) {
		return step.Wait(api.ReasonPaused, "Paused by label "+names.LabelDoNotReconcile), nil
	}
	found, err := owner.Of(ctx, p.Client, p.store.Namespace)
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.store.Namespace)), nil
	}
	p.cluster = found
	return step.Done, nil
}

// findCluster waits for the monitors.
func (p *pass) findCluster(ctx context.Context) (step.Outcome, error) {
	if outcome, err := p.findAnyCluster(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return condition.Await(p.cluster, api.ConditionMonitorsInQuorum), nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Sessions.Client(ctx, p.cluster)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for Ceph: the monitors do not answer"), nil
	}
	p.client = found
	return outcome, err
}

// look asks Ceph once whether anything has changed since the store was found
// settled.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	status, err := p.client.Status(ctx)
	if err != nil {
		return step.None, fmt.Errorf("read status: %w", err)
	}
	p.mark = mark{
		generation: p.store.Generation, clusterGeneration: p.cluster.Generation, fsid: status.FSID,
		osdEpoch: status.OSDMap.Epoch, site: p.site, secrets: p.secretsPrint(),
	}
	found, ok := p.known.Load(p.store.UID)
	known, isView := found.(*view)
	if !ok || !isView || known.mark != p.mark || p.Clock.Since(known.since) >= review {
		return step.Done, nil
	}
	there, err := p.haveKey(ctx)
	if err == nil && there {
		p.settled, p.drift = known, known.drift
	}
	return step.Done, err
}

// observeDeployment reads the Deployment of the gateways, if it is this store's.
func (p *pass) observeDeployment(ctx context.Context, reader client.Reader) error {
	found := &appsv1.Deployment{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: p.store.Namespace, Name: names.RGWDeployment(p.store.Name)}, found)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read Deployment: %w", err)
	}
	if apierrors.IsNotFound(err) || !metav1.IsControlledBy(found, p.store) {
		found = nil
	}
	p.deployment = found
	return nil
}

// observe reads what Ceph has.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	var err error
	if p.pools, err = pools.Read(ctx, p.client); err != nil {
		return step.None, err
	}
	if p.options, err = p.client.ConfigDump(ctx); err != nil {
		return step.None, fmt.Errorf("read stored options: %w", err)
	}
	return step.Done, nil
}
