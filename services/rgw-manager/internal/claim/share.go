package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ceph/go-ceph/rgw/admin"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// locks let one claim at a time change the policy of a bucket: a gateway does not
// refuse a policy that was read before another was written.
type locks struct{ all sync.Map }

func (l *locks) lock(name string) (unlock func()) {
	found, _ := l.all.LoadOrStore(name, &sync.Mutex{})
	one, _ := found.(*sync.Mutex)
	one.Lock()
	return one.Unlock
}

// share changes the policy of a bucket of somebody else.
func (p *pass) share(ctx context.Context, change func(live string) (string, error)) (step.Outcome, error) {
	defer p.sharing.lock(p.at.String() + "/" + p.want.bucket)()
	return p.lend(ctx, func() (step.Outcome, error) {
		live, err := p.policy(ctx)
		if err != nil {
			return p.heard(err)
		}
		want, err := change(live)
		if err != nil {
			return step.None, fmt.Errorf("change the policy of bucket %s: %w", p.want.bucket, err)
		}
		if bucket.SameJSON(live, want) {
			return step.Done, nil
		}
		return p.putPolicy(ctx, want)
	})
}

// lend does something as the owner of the bucket, which has a key while it lasts.
func (p *pass) lend(ctx context.Context, do func() (step.Outcome, error)) (step.Outcome, error) {
	all := p.owner.Keys
	p.owner.Keys = slices.DeleteFunc(slices.Clone(all), isLent)
	left := slices.DeleteFunc(slices.Clone(all), func(k admin.UserKeySpec) bool { return !isLent(k) })
	if len(p.owner.Keys) == 0 {
		if outcome, err := p.addKeyLike(ctx, p.owner, accesskey.Lent); err != nil || !outcome.IsDone() {
			return outcome, err
		}
		left = append(left, p.owner.Keys...)
	}
	outcome, err := do()
	for _, key := range left {
		back, failed := p.removeKey(ctx, p.owner.ID, key.AccessKey)
		if err = errors.Join(err, failed); outcome.IsDone() {
			outcome = back
		}
	}
	return outcome, err
}

func isLent(key admin.UserKeySpec) bool { return accesskey.IsLent(key.AccessKey) }

// removeKey takes a key from a user. A gateway words a key that the user does not have
// as it words one of ours that it does not know.
func (p *pass) removeKey(ctx context.Context, uid, access string) (step.Outcome, error) {
	removed := p.gateway.RemoveKey(ctx, uid, access)
	if !errors.Is(removed, ops.ErrNotFound) && !errors.Is(removed, ops.ErrDenied) {
		return p.heard(removed)
	}
	now, outcome, err := p.readUser(ctx, uid)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if now == nil || !slices.ContainsFunc(now.Keys, func(k admin.UserKeySpec) bool { return k.AccessKey == access }) {
		return step.Done, nil
	}
	return p.heard(removed)
}
