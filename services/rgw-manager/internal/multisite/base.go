package multisite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// Recheck is how often a settled object is looked at.
	Recheck = 10 * time.Minute
	// StalledRetry is how often is tried again what only a person can mend.
	StalledRetry = 30 * time.Second

	connectRetry   = 2 * time.Second
	parentRetry    = 10 * time.Second
	dependentRetry = 10 * time.Second
)

// Jobs makes in Ceph what is wanted, once; see setupjob.Runner.
type Jobs interface {
	Settle(ctx context.Context, cluster *api.CephCluster, owner client.Object, wanted rgwadmin.Wanted, before *api.ObjectSetupStatus) (api.ObjectSetupStatus, step.Outcome, error)
}

// Base is what such a controller works with.
type Base struct {
	Client client.Client
	// Live reads past the cache.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock
	Jobs     Jobs
}

// Finalizer keeps an object until what it stands for is gone from Ceph.
func Finalizer() string { return names.Finalizer(gateway.Service) }

// Pass is one call of Reconcile for one object.
type Pass struct {
	Base
	Object client.Object
	// LegacyFinalizer is what Rook left on an object that was taken over.
	LegacyFinalizer string
	Before          api.ObjectMultisiteStatus
	Cluster         *api.CephCluster
	Ceph            ceph.Client

	// Setup is what is set up, if that is known anew.
	Setup *api.ObjectSetupStatus
	// Sync is how far a zone is behind.
	Sync        *api.ObjectSyncStatus
	Drift       []string
	Unsupported []string
	blockers    []string
}

// NewPass looks at an object with the status that it has.
func (b Base) NewPass(obj client.Object, status *api.ObjectMultisiteStatus, legacy string) *Pass {
	p := &Pass{Base: b, Object: obj, LegacyFinalizer: legacy}
	if status != nil {
		p.Before = *status
	}
	p.Sync = p.Before.Sync
	return p
}

// Hold makes sure that the object is not gone before what it stands for.
func (p *Pass) Hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Finalizer(ctx, p.Object, Finalizer())
}

// FindCluster waits for the monitors of the namespace's cluster.
func (p *Pass) FindCluster(ctx context.Context) (step.Outcome, error) {
	if names.Paused(p.Object.GetLabels()) {
		return step.Wait(api.ReasonPaused, "Paused by label "+names.LabelDoNotReconcile), nil
	}
	found, err := owner.Of(ctx, p.Client, p.Object.GetNamespace())
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.Object.GetNamespace())), nil
	}
	p.Cluster = found
	return condition.Await(found, api.ConditionMonitorsInQuorum), nil
}

// Free refuses a name that is that of a store with a realm, zone group and zone of
// its own, which are all named as it is. Who was set up first keeps the name.
func (p *Pass) Free(ctx context.Context, reader client.Reader) (step.Outcome, error) {
	if p.Before.Setup != nil {
		return step.Done, nil
	}
	var store api.CephObjectStore
	err := reader.Get(ctx, client.ObjectKeyFromObject(p.Object), &store)
	if err != nil {
		return step.Done, client.IgnoreNotFound(err)
	}
	if store.Spec.ZoneName() != "" || store.Status == nil || store.Status.Setup == nil {
		return step.Done, nil
	}
	return step.Stall(api.ReasonNameTaken, fmt.Sprintf(
		"The name '%s' is that of a CephObjectStore with a realm of its own; choose another name", store.Name)), nil
}

// FreeName is Free as the cache has it.
func (p *Pass) FreeName(ctx context.Context) (step.Outcome, error) { return p.Free(ctx, p.Client) }

// Connect reaches the monitors.
func (p *Pass) Connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Sessions.Client(ctx, p.Cluster)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for Ceph: the monitors do not answer"), nil
	}
	p.Ceph = found
	return outcome, err
}

// Parent reads the object that this one belongs to, and waits until it is there.
func (p *Pass) Parent(ctx context.Context, kind, name string, into client.Object) (step.Outcome, error) {
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.Object.GetNamespace(), Name: name}, into)
	if apierrors.IsNotFound(err) {
		return step.Retry(parentRetry, api.ReasonParentMissing, fmt.Sprintf("Waiting for %s '%s', which does not exist", kind, name)), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read %s: %w", kind, err)
	}
	return step.Done, nil
}

// AwaitReady waits until the object that this one belongs to is ready. What was set
// up before goes on, whatever its parent waits for.
func (p *Pass) AwaitReady(kind, name string, status *api.ObjectMultisiteStatus) step.Outcome {
	if p.Before.Setup != nil || status != nil && condition.IsTrue(status.Conditions, api.ConditionReady) {
		return step.Done
	}
	return step.Wait(api.ReasonParentNotReady, fmt.Sprintf("Waiting for %s %s to be ready", kind, name))
}

// AwaitOSDs waits until Ceph can keep objects, before anything is set up for the
// first time: until then a Job would hang.
func (p *Pass) AwaitOSDs(context.Context) (step.Outcome, error) {
	if p.Before.Setup != nil {
		return step.Done, nil
	}
	return condition.Await(p.Cluster, api.ConditionOSDsServing), nil
}

// SetUp has a Job make what is wanted, unless that is so already.
func (p *Pass) SetUp(ctx context.Context, wanted rgwadmin.Wanted) (step.Outcome, error) {
	done, outcome, err := p.Jobs.Settle(ctx, p.Cluster, p.Object, wanted, p.Before.Setup)
	if err == nil && outcome.IsDone() {
		p.Setup = &done
	}
	return outcome, err
}

// FindForDeletion finds the cluster, if there is one from which something must be
// removed. An object whose cluster is gone, or that was never set up, goes at once.
func (p *Pass) FindForDeletion(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.Object.GetNamespace())
	if err != nil || found == nil || found.Status.Connection == nil {
		return step.Done, err
	}
	p.Cluster = found
	return condition.Await(found, api.ConditionMonitorsInQuorum), nil
}

// TakeDown has a Job remove what is wanted gone. What was never set up is not ours
// to remove: it may be what our setup was refused for.
func (p *Pass) TakeDown(ctx context.Context, wanted rgwadmin.Wanted) (step.Outcome, error) {
	if p.Cluster == nil || p.Before.Setup == nil {
		return step.Done, nil
	}
	done, outcome, err := p.Jobs.Settle(ctx, p.Cluster, p.Object, wanted, p.Before.Setup)
	if outcome.IsStalled() {
		p.blockers = []string{outcome.Message}
	}
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if done.Hash != p.Before.Setup.Hash {
		p.Setup = &done
		// Once pools are gone, a Job that looks for a realm would make them anew.
		return step.Retry(100*time.Millisecond, api.ReasonWaiting, "Noting that it is gone from Ceph"), nil
	}
	return step.Done, nil
}

// Blocked refuses deletion while objects depend on this one.
func (p *Pass) Blocked(dependents []string) step.Outcome {
	if len(dependents) == 0 {
		return step.Done
	}
	slices.Sort(dependents)
	p.blockers = dependents
	return step.Retry(dependentRetry, api.ReasonDependents, "Still there: "+problem.Names(dependents)+"; delete them first")
}

// Kept refuses deletion for a reason that is no object.
func (p *Pass) Kept(reason, message string) step.Outcome {
	p.blockers = []string{message}
	return step.Retry(dependentRetry, reason, message)
}

// Confirm reads the object anew, right before something is destroyed.
func (p *Pass) Confirm(ctx context.Context, live client.Object) (step.Outcome, error) {
	changed := step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the cache: the object has changed")
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.Object), live)
	if apierrors.IsNotFound(err) {
		return changed, nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read %s: %w", p.Object.GetName(), err)
	}
	if live.GetUID() != p.Object.GetUID() || live.GetDeletionTimestamp().IsZero() || live.GetGeneration() != p.Object.GetGeneration() {
		return changed, nil
	}
	return step.Done, nil
}

// Release lets the object go.
func (p *Pass) Release(ctx context.Context) (step.Outcome, error) {
	if err := p.Apply.RemoveFinalizer(ctx, p.Object, p.LegacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.Object, Finalizer())
}
