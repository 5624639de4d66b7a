package claim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/purge"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// slice is how long a worker empties a bucket before it looks at the rest of the
	// world again.
	slice = 5 * time.Second
	// next is how soon it goes on.
	next = 10 * time.Millisecond
	// tell is how often the status says how far it is.
	tell = 10 * time.Second
)

// emptying is what is known of a bucket that is being emptied. It is forgotten when the
// service restarts, and nothing hangs on it.
type emptying struct {
	// batch becomes smaller when the store does not answer in time.
	batch int32
	// total is how many objects there were when it was first looked at.
	total uint64
	// said is what was last told, and when.
	said string
	at   time.Time
}

// destroy empties the bucket for a while, and removes it once it is empty. The owner of
// the bucket was read in this pass.
func (p *pass) destroy(ctx context.Context) (step.Outcome, error) {
	if !p.purging.take(p.claim.UID, p.Clock.Now()) {
		return step.Retry(ask, api.ReasonDeletingObjects, "Waiting until it is the turn of bucket '"+p.want.bucket+"'; others are emptied"), nil
	}
	defer p.purging.giveBack()
	if outcome, err := p.takeOver(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	known := p.emptyingOf()
	target := purge.Target{S3: p.gateway.As(p.user.Keys[0].AccessKey, p.user.Keys[0].SecretKey), Bucket: p.want.bucket, Batch: known.batch, Clock: p.Clock}
	progress, err := target.Slice(ctx, p.Clock.Now().Add(slice))
	switch {
	case errors.Is(err, ops.ErrNotFound):
		return step.Retry(next, api.ReasonDeletingObjects, p.progress(known)), nil // the bucket went meanwhile
	case errors.Is(err, ops.ErrDenied):
		return p.dropPolicy(ctx, err)
	case errors.Is(err, ops.ErrUnreachable):
		known.batch = max(known.batch/2, 1)
		return p.heard(err)
	case err != nil:
		return p.heard(err)
	case progress.Refused != "":
		return step.Retry(refusedRetry, reasonObjectsLocked, fmt.Sprintf(
			"Objects of bucket '%s' cannot be deleted: %s; they may be under a lock", p.want.bucket, progress.Refused)), nil
	case !progress.Empty:
		known.batch = min(known.batch*2, purge.MaxBatch)
		return step.Retry(next, api.ReasonDeletingObjects, p.progress(known)), nil
	}
	return p.removeBucket(ctx, known)
}

// reasonObjectsLocked means that the gateway refuses to delete objects.
const reasonObjectsLocked = "ObjectsLocked"

// dropPolicy removes the policy of a bucket that keeps its owner from emptying it.
func (p *pass) dropPolicy(ctx context.Context, why error) (step.Outcome, error) {
	live, err := p.policy(ctx)
	if err != nil || live == "" {
		return p.heard(why)
	}
	if outcome, err := p.putPolicy(ctx, ""); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return step.Retry(next, api.ReasonDeletingObjects, p.progress(p.emptyingOf())), nil
}

func (p *pass) removeBucket(ctx context.Context, known *emptying) (step.Outcome, error) {
	err := p.gateway.RemoveEmptyBucket(ctx, p.want.bucket)
	switch {
	case errors.Is(err, ops.ErrNotEmpty):
		return step.Retry(time.Second, api.ReasonDeletingObjects, p.progress(known)), nil
	case errors.Is(err, ops.ErrNotFound):
		err = nil
	}
	if outcome, err := p.heard(err); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.bucket = nil
	return p.dropUser(ctx)
}

func (p *pass) emptyingOf() *emptying {
	found, _ := p.emptying.LoadOrStore(p.claim.UID, &emptying{batch: purge.MaxBatch, total: p.inside()})
	known, _ := found.(*emptying)
	known.total = max(known.total, p.inside())
	return known
}

// inside is how many objects the bucket held at the beginning of the pass.
func (p *pass) inside() uint64 {
	return ptr.Deref(p.bucket.Usage.RgwMain.NumObjects, 0) + ptr.Deref(p.bucket.Usage.RgwMultimeta.NumObjects, 0)
}

// progress says how far it is, in other words than the last time only after a while.
func (p *pass) progress(known *emptying) string {
	now := p.Clock.Now()
	if known.said == "" || now.Sub(known.at) >= tell {
		known.at = now
		known.said = fmt.Sprintf("Deleting bucket '%s': about %d of %d objects are left", p.want.bucket, about(p.inside()), about(known.total))
	}
	return known.said
}

// about rounds to two digits.
func about(n uint64) uint64 {
	if n < 100 {
		return n
	}
	unit := uint64(math.Pow10(len(fmt.Sprint(n)) - 2))
	return (n + unit/2) / unit * unit
}
