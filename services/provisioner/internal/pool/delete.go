package pool

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// findClusterForDeletion lets a pool go whose cluster is gone: nobody could
// delete it, and nobody may.
func (p *pass) findClusterForDeletion(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.pool.Namespace)
	p.cluster = found
	return step.Done, err
}

// orphaned tells that nothing in Ceph is to be deleted: the cluster is gone or was
// never there, or the pool is one that Ceph itself uses.
func (p *pass) orphaned() bool { return p.cluster == nil || p.pool.Spec.Name != "" || p.unborn() }

// unborn tells that nobody has reached the cluster yet and that the pool, which
// Rook would have reported, too, was never made.
func (p *pass) unborn() bool {
	return p.cluster.Status.Connection == nil && p.before.PoolID == nil &&
		!condition.IsTrue(p.before.Conditions, api.ConditionReady) && !controllerutil.ContainsFinalizer(p.pool, legacyFinalizer)
}

func (p *pass) connectForDeletion(ctx context.Context) (step.Outcome, error) {
	if p.orphaned() {
		return step.Done, nil
	}
	outcome, err := p.connect(ctx)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return step.Done, p.observe(ctx)
}

// empty refuses while anything of a user's is in the pool, or while the pool is
// somebody else's.
func (p *pass) empty(ctx context.Context) (step.Outcome, error) {
	if p.orphaned() || p.seen.Pool == nil || p.stranger() {
		return step.Done, nil
	}
	if p.blockers = p.otherApplications(); len(p.blockers) > 0 {
		return step.Retry(deletionRetry, api.ReasonPoolNotEmpty, fmt.Sprintf(
			"Pool '%s' is used by %s in Ceph, not '%s' alone, and is kept; to let the object go and leave the pool to its users, remove the object's finalizer '%s'",
			poolName(p.pool), p.others(), Application(p.pool), Finalizer())), nil
	}
	found, err := p.contents(ctx)
	if err != nil {
		return step.None, err
	}
	p.blockers = found
	if len(found) > 0 {
		return step.Retry(deletionRetry, api.ReasonPoolNotEmpty,
			fmt.Sprintf("Pool '%s' holds %s; delete the PersistentVolumeClaims, images or objects first", poolName(p.pool), problem.Names(found))), nil
	}
	return step.Done, nil
}

// remove deletes the pool, then what only it used. Before that the object is
// read once more from the API server: a stale cache must not destroy a pool.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	if p.orphaned() || p.stranger() {
		return step.Done, nil
	}
	name := poolName(p.pool)
	if p.seen.Pool != nil {
		if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
			return outcome, err
		}
		if err := p.client.PoolDelete(ctx, name, ceph.Really); err != nil {
			return step.None, fmt.Errorf("delete pool %q: %w", name, err)
		}
		ctrl.LoggerFrom(ctx).Info("pool deleted", "pool", name)
	}
	return step.Done, p.removeParts(ctx, name)
}

// removeParts removes the rule and the profile that are named after the pool,
// unless others use them.
func (p *pass) removeParts(ctx context.Context, name string) error {
	if _, found := p.seen.Rules[name]; found {
		if err := p.client.CrushRuleRemove(ctx, name); !removed(err) {
			return fmt.Errorf("remove CRUSH rule %q: %w", name, err)
		}
	}
	if p.pool.Spec.ErasureCoded.DataChunks == 0 {
		return nil
	}
	profile := pools.ProfileName(name)
	if err := p.client.ErasureCodeProfileRemove(ctx, profile); !removed(err) {
		return fmt.Errorf("remove erasure code profile %q: %w", profile, err)
	}
	return nil
}

// removed tells whether nothing is left to do: it is gone, or others need it.
func removed(err error) bool {
	return err == nil || errors.Is(err, ceph.ErrBusy) || errors.Is(err, ceph.ErrNotFound)
}

// confirm reads object and images anew, right before the pool is deleted.
func (p *pass) confirm(ctx context.Context) (step.Outcome, error) {
	var live api.CephBlockPool
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.pool), &live)
	if apierrors.IsNotFound(err) || err == nil && (live.UID != p.pool.UID || live.DeletionTimestamp.IsZero()) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the cache: the object has changed"), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read CephBlockPool: %w", err)
	}
	return p.empty(ctx)
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.known.Delete(p.pool.UID)
	p.done.Delete(p.pool.UID)
	if err := p.apply.RemoveFinalizer(ctx, p.pool, legacyFinalizer); err != nil {
		return step.None, err
	}
	if err := p.apply.RemoveFinalizer(ctx, p.pool, Finalizer()); err != nil {
		return step.None, err
	}
	if p.stranger() && p.Events != nil {
		p.Events.Eventf(p.pool, nil, corev1.EventTypeNormal, "PoolKept", "Delete", "Left pool '%s' alone, which belongs to %s", poolName(p.pool), p.others())
	}
	return step.Done, nil
}
