package user

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// endSteps remove a user. Whatever they were interrupted at, they begin anew.
func (p *pass) endSteps() []step.Step {
	return []step.Step{
		step.Named("store", p.findStoreForEnd),
		step.Named("connect", p.unlessNothing(p.connect)),
		step.Named("look", p.unlessNothing(p.readUser)),
		step.Named("buckets", p.unlessNothing(p.awaitBuckets)),
		step.Named("remove", p.unlessNothing(p.remove)),
		step.Named("release", p.release),
	}
}

// findStoreForEnd reads past the cache what there may be to remove. Where the store is
// gone, or another object has the user, or none was made, there is nothing.
func (p *pass) findStoreForEnd(ctx context.Context) (step.Outcome, error) {
	if err := p.readStore(ctx, p.Live); err != nil {
		return step.None, err
	}
	var err error
	if p.published, err = p.readSecret(ctx, p.secretName()); err != nil {
		return step.None, err
	}
	rival, err := p.rival(ctx)
	made := len(p.before.KeyHashes) > 0 || controllerutil.ContainsFinalizer(p.user, legacyFinalizer) && p.controls()
	if err != nil || rival != nil || !made {
		p.store = nil
	}
	return step.Done, err
}

func (p *pass) unlessNothing(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.store == nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// awaitBuckets refuses while the user owns a bucket.
func (p *pass) awaitBuckets(ctx context.Context) (step.Outcome, error) {
	if p.live == nil || !p.ours() {
		p.store = nil
		return step.Done, nil
	}
	owned, err := p.gateway.UserBuckets(ctx, p.user.Name)
	if err != nil && !errors.Is(err, ops.ErrNotFound) {
		return p.heard(err)
	}
	if len(owned) > 0 {
		slices.Sort(owned)
		return step.Retry(deletionRetry, api.ReasonBucketsExist, fmt.Sprintf(
			"The user owns buckets: %s; delete them, or give them to another user", problem.Names(owned))), nil
	}
	return step.Done, nil
}

// remove removes the user. The store refuses if it has got a bucket meanwhile.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	err := p.gateway.RemoveUser(ctx, p.user.Name)
	switch {
	case errors.Is(err, ops.ErrNotFound):
		return step.Done, nil
	case errors.Is(err, ops.ErrExists), errors.Is(err, ops.ErrNotEmpty):
		return step.Retry(missingRetry, api.ReasonBucketsExist, "The user has just made a bucket"), nil
	}
	return p.heard(err)
}

// release lets the object go, and with it the Secret, which belongs to it.
func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.known.Delete(p.user.UID)
	p.drawn.Delete(p.user.UID)
	if err := p.Apply.RemoveFinalizer(ctx, p.user, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.user, Finalizer())
}
