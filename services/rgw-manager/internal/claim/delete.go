package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// endSteps end a claim. Whatever they were interrupted at, they begin anew.
func (p *pass) endSteps() []step.Step {
	return []step.Step{
		step.Named("reread", p.reread),
		step.Named("store", p.findStoreForEnd),
		step.Named("connect", p.unlessOrphaned(p.connect)),
		step.Named("look", p.unlessOrphaned(p.lookForEnd)),
		step.Named("bucket", p.unlessOrphaned(p.end)),
		step.Named("beside", p.unpublish),
		step.Named("record", p.endRecord),
		step.Named("release", p.release),
	}
}

// findStoreForEnd reads the store past the cache. Where it is gone, so is all that
// could be removed, or it was left on purpose.
func (p *pass) findStoreForEnd(ctx context.Context) (step.Outcome, error) {
	if p.record == nil {
		p.store = nil
		return step.Done, nil
	}
	if !p.Config.served(p.at.Namespace) {
		return step.Retry(refusedRetry, api.ReasonParentMissing, fmt.Sprintf(
			"Namespace '%s' of CephObjectStore '%s' is not served by this installation any more", p.at.Namespace, p.at.Name)), nil
	}
	if err := p.readStore(ctx, p.Live); err != nil {
		return step.None, err
	}
	if p.store == nil && !p.kept() && !p.granted() {
		p.Events.Eventf(p.claim, nil, corev1.EventTypeWarning, "BucketLeft", "Release",
			"CephObjectStore '%s' is gone; the bucket stays in Ceph if it is still there, and whoever makes the store again has to delete it", p.at.Name)
	}
	return step.Done, nil
}

func (p *pass) unlessOrphaned(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.store == nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// lookForEnd reads what there is of what the ObjectBucket names.
func (p *pass) lookForEnd(ctx context.Context) (step.Outcome, error) {
	p.want.user, p.want.own = p.recorded(objectbucket.StateUser), p.ownUser()
	p.want.granted = p.granted()
	if p.record.Spec.Endpoint != nil {
		p.want.bucket = p.record.Spec.Endpoint.BucketName
	}
	if p.want.user == "" || p.want.bucket == "" {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"ObjectBucket '%s' does not say which bucket and user there are; nothing is deleted until it does, or is deleted itself", p.record.Name)), nil
	}
	if outcome, err := p.readBucket(ctx, p.want.bucket); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	var outcome step.Outcome
	var err error
	if p.user, outcome, err = p.readUser(ctx, p.want.user); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.owner = p.user
	if p.bucket != nil && p.bucket.Owner != p.want.user {
		p.owner, outcome, err = p.readUser(ctx, p.bucket.Owner)
	}
	return outcome, err
}

// end removes the bucket, or what gave access to it.
func (p *pass) end(ctx context.Context) (step.Outcome, error) {
	switch {
	case p.bucket == nil:
		return p.dropUser(ctx)
	case p.want.granted || p.bucket.Owner != p.want.user || !p.own():
		if outcome, err := p.revoke(ctx); err != nil || !outcome.IsDone() {
			return outcome, err
		}
		return p.dropUser(ctx)
	case p.kept():
		return p.lockOut(ctx)
	}
	return p.destroy(ctx)
}

// kept tells whether the bucket outlives the claim. In doubt it does.
func (p *pass) kept() bool {
	return p.record != nil && ptr.Deref(p.record.Spec.ReclaimPolicy, corev1.PersistentVolumeReclaimRetain) != corev1.PersistentVolumeReclaimDelete
}

// revoke takes our statement out of the policy of a bucket of somebody else.
func (p *pass) revoke(ctx context.Context) (step.Outcome, error) {
	if p.owner == nil || !p.want.owned() {
		return step.Done, nil
	}
	return p.share(ctx, func(live string) (string, error) { return bucket.Revoke(live, p.want.user) })
}

// dropUser removes the user that was made for the claim.
func (p *pass) dropUser(ctx context.Context) (step.Outcome, error) {
	if p.user == nil || !p.want.owned() {
		return step.Done, nil
	}
	err := p.gateway.RemoveUser(ctx, p.want.user)
	switch {
	case errors.Is(err, ops.ErrNotFound):
		return step.Done, nil
	case errors.Is(err, ops.ErrExists), errors.Is(err, ops.ErrNotEmpty):
		return step.Retry(refusedRetry, api.ReasonDependents, fmt.Sprintf("User '%s' owns other buckets; remove them first", p.want.user)), nil
	}
	return p.heard(err)
}

// lockOut takes all keys from the user that owns a bucket which stays.
func (p *pass) lockOut(ctx context.Context) (step.Outcome, error) {
	if !p.want.owned() || p.user == nil {
		return step.Done, nil
	}
	for _, key := range p.user.Keys {
		if outcome, err := p.removeKey(ctx, p.want.user, key.AccessKey); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	return step.Done, nil
}

// takeOver leaves the user with a key that only we know, so that nobody goes on
// writing into a bucket that is being emptied. Keys of a named owner stay.
func (p *pass) takeOver(ctx context.Context) (step.Outcome, error) {
	if p.user == nil || !p.want.owned() && len(p.user.Keys) == 0 {
		return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf("User '%s', who owns the bucket, does not exist or has no keys", p.want.user)), nil
	}
	if !p.want.owned() {
		return step.Done, nil
	}
	theirs, err := p.published(ctx)
	if err != nil {
		return step.None, err
	}
	if len(p.user.Keys) == 0 || theirs >= 0 && len(p.user.Keys) == 1 {
		if outcome, err := p.addKey(ctx, p.user); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	if theirs < 0 {
		return step.Done, nil
	}
	outcome, err := p.removeKey(ctx, p.want.user, p.user.Keys[theirs].AccessKey)
	p.user.Keys = slices.Delete(p.user.Keys, theirs, theirs+1)
	return outcome, err
}

// published is which of the user's keys is beside the claim; -1 for none.
func (p *pass) published(ctx context.Context) (int, error) {
	if err := p.readBeside(ctx); err != nil || p.secret == nil || !p.ownedBy(p.secret) {
		return -1, err
	}
	access := string(p.secret.Data[keyAccess])
	return slices.IndexFunc(p.user.Keys, func(k admin.UserKeySpec) bool { return k.AccessKey == access }), nil
}

// unpublish removes what is beside the claim.
func (p *pass) unpublish(ctx context.Context) (step.Outcome, error) {
	if err := p.readBeside(ctx); err != nil {
		return step.None, err
	}
	for _, obj := range p.beside() {
		if !p.ownedBy(obj) {
			continue
		}
		gone := !obj.GetDeletionTimestamp().IsZero()
		if err := p.Apply.RemoveFinalizer(ctx, obj, objectbucket.Finalizer); err != nil {
			return step.None, err
		}
		if gone {
			continue
		}
		if err := p.Apply.Delete(ctx, obj); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
}

// endRecord removes the ObjectBucket, or leaves it to tell of a bucket that stays. It
// then is nobody's, and may be deleted by anybody.
func (p *pass) endRecord(ctx context.Context) (step.Outcome, error) {
	if p.record == nil {
		return step.Done, nil
	}
	stays := p.stays()
	if stays {
		if err := p.recordPhase(ctx, objectbucket.ObjectBucketReleased); err != nil {
			return step.None, err
		}
	}
	fresh, err := readRecord(ctx, p.Live, p.record.Name)
	if err != nil || fresh == nil || fresh.UID != p.record.UID {
		return step.Done, err
	}
	gone := !fresh.DeletionTimestamp.IsZero()
	if err := p.Apply.RemoveFinalizer(ctx, fresh, objectbucket.Finalizer); err != nil || stays || gone {
		return step.Done, err
	}
	return step.Done, p.Apply.Delete(ctx, fresh)
}

// stays tells whether a bucket of the claim is left on purpose.
func (p *pass) stays() bool {
	return p.bucket != nil && p.kept() && !p.want.granted && p.bucket.Owner == p.want.user && p.own()
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	if err := p.Apply.RemoveFinalizer(ctx, p.claim, objectbucket.Finalizer); err != nil {
		return step.None, err
	}
	p.known.Delete(p.claim.UID)
	p.emptying.Delete(p.claim.UID)
	return step.Done, nil
}
