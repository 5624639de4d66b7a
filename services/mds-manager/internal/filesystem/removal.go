package filesystem

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// confirm reads the object anew, right before something is destroyed.
func (p *pass) confirm(ctx context.Context) (step.Outcome, error) {
	changed := step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the cache: the object has changed")
	var live api.CephFilesystem
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.fs), &live)
	if apierrors.IsNotFound(err) {
		return changed, nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read CephFilesystem: %w", err)
	}
	if live.UID != p.fs.UID || live.DeletionTimestamp.IsZero() || live.Generation != p.fs.Generation {
		return changed, nil
	}
	return step.Done, nil
}

// remove takes the file system down and forgets it, in one go after the last
// look inside.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	if p.found() == nil || p.keeps() {
		return step.Done, nil
	}
	if p.before.FilesystemID == nil {
		// Once it is gone, only the status tells that the pools were its own.
		return step.Retry(connectRetry, api.ReasonWaiting, "Noting which file system goes"), nil
	}
	if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	var err error
	if p.maps, err = p.client.FSDump(ctx); err != nil {
		return step.None, fmt.Errorf("read file systems: %w", err)
	}
	if outcome, err := p.awaitSubvolumes(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if err := p.client.FSFail(ctx, p.fs.Name, ceph.Really); err != nil {
		return step.None, fmt.Errorf("take down file system %s: %w", p.fs.Name, err)
	}
	if err := p.client.FSRemove(ctx, p.fs.Name, ceph.Really); err != nil {
		return step.None, fmt.Errorf("remove file system %s: %w", p.fs.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("file system removed", "filesystem", p.fs.Name)
	p.Events.Eventf(p.fs, nil, corev1.EventTypeNormal, "FilesystemRemoved", "RemoveFilesystem", "Removed file system %s%s", p.fs.Name, p.unnamed())
	return step.Done, nil
}

// unnamed words which pools the file system had that the spec does not name, and
// which therefore stay.
func (p *pass) unnamed() string {
	m, named := p.found().Map, append(p.fs.DataPoolNames(), p.fs.MetadataPoolName())
	left := slices.DeleteFunc(poolNames(append([]int{m.MetadataPool}, m.DataPools...), p.pools), func(pool string) bool {
		return slices.Contains(named, pool)
	})
	switch len(left) {
	case 0:
		return ""
	case 1:
		return "; left pool " + left[0] + ", which the spec did not name: delete it by hand if nobody needs it"
	}
	return "; left pools " + problem.Names(left) + ", which the spec did not name: delete them by hand if nobody needs them"
}

// removePools removes the pools that the spec names and that no other file
// system or application has. Others are left, and so are all when they hold
// anything of a file system that this object never had or has lost.
func (p *pass) removePools(ctx context.Context) (step.Outcome, error) {
	if p.keeps() || p.fs.Spec.PreservePoolsOnDelete {
		return step.Done, nil
	}
	list := p.ownPools()
	if len(list) == 0 {
		return step.Done, nil
	}
	used, outcome, err := p.inUse(ctx, list)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if len(used) > 0 {
		p.Events.Eventf(p.fs, nil, corev1.EventTypeWarning, "PoolsKept", "RemovePools",
			"Kept the pools: %s may hold files of a file system that was removed before; delete them by hand if nobody needs those", problem.Names(used))
		return step.Done, nil
	}
	if outcome, err := p.confirm(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	for _, want := range list {
		if err := p.client.PoolDelete(ctx, want.Name, ceph.Really); err != nil {
			return step.None, fmt.Errorf("delete pool %s: %w", want.Name, err)
		}
		if err := pools.RemoveParts(ctx, p.client, p.pools, want); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
}

// ownPools are those of the spec that are there and that nobody else has.
func (p *pass) ownPools() []pools.Want {
	return slices.DeleteFunc(wanted(p.fs), func(want pools.Want) bool {
		pool := p.pools.Pools[want.Name]
		return pool == nil || !ours(pool, p.fs.Name) || p.usedElsewhere(pool.ID)
	})
}

// inUse names the pools that have been in another file system than the object's
// own, or that hold objects of nobody knows what. What Ceph counts is trusted
// only when it has counted all.
func (p *pass) inUse(ctx context.Context, list []pools.Want) ([]string, step.Outcome, error) {
	if p.before.FilesystemID != nil {
		return nil, step.Done, nil // what they held went with the file system
	}
	status, err := p.client.Status(ctx)
	if err != nil {
		return nil, step.None, fmt.Errorf("read status: %w", err)
	}
	if slices.ContainsFunc(status.PGMap.PGsByState, func(s ceph.PGState) bool { return strings.Contains(s.StateName, "unknown") }) {
		return nil, step.Retry(deletionRetry, api.ReasonWaiting, "Waiting for Ceph to know what the pools hold"), nil
	}
	usage, err := p.client.DF(ctx)
	if err != nil {
		return nil, step.None, fmt.Errorf("read usage of pools: %w", err)
	}
	empty := map[int]bool{}
	for _, pool := range usage.Pools {
		empty[pool.ID] = pool.Stats.Objects == 0
	}
	var used []string
	for _, want := range list {
		pool := p.pools.Pools[want.Name]
		if len(pool.ApplicationMetadata[application]) > 0 || !empty[pool.ID] {
			used = append(used, "pool "+want.Name)
		}
	}
	return used, step.Done, nil
}

// ours tells whether Ceph says that the pool was made for the file system.
func ours(pool *ceph.Pool, fs string) bool {
	tag, tagged := pool.ApplicationMetadata[application]
	if !tagged || len(pool.ApplicationMetadata) > 1 {
		return false
	}
	for _, key := range []string{"metadata", "data"} {
		if owner := tag[key]; owner != "" && owner != fs {
			return false
		}
	}
	return true
}

func (p *pass) usedElsewhere(id int) bool {
	return slices.ContainsFunc(p.maps.Filesystems, func(fs ceph.FSMapVolume) bool {
		return fs.Map.Name != p.fs.Name && (fs.Map.MetadataPool == id || slices.Contains(fs.Map.DataPools, id))
	})
}
