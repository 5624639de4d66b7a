package filesystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// deletionRetry is how often a file system is looked at that something keeps.
const deletionRetry = 10 * time.Second

// endSteps remove a file system. Whatever they were interrupted at, they begin
// anew.
func (p *pass) endSteps() []step.Step {
	return []step.Step{
		step.Named("groups", p.awaitGroups),
		step.Named("cluster", p.findClusterForDeletion),
		step.Named("connect", p.unlessOrphaned(p.connect)),
		step.Named("look", p.unlessOrphaned(p.lookForDeletion)),
		step.Named("subvolumes", p.unlessOrphaned(p.awaitSubvolumes)),
		step.Named("remove", p.unlessOrphaned(p.remove)),
		step.Named("pools", p.unlessOrphaned(p.removePools)),
		step.Named("daemons", p.unlessOrphaned(p.endDaemons)),
		step.Named("release", p.release),
	}
}

// findClusterForDeletion lets a file system go whose cluster is gone: nobody
// could remove it, and nobody may.
func (p *pass) findClusterForDeletion(ctx context.Context) (step.Outcome, error) {
	found, err := p.clusterOf(ctx)
	p.cluster = found
	return step.Done, err
}

func (p *pass) unlessOrphaned(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.cluster == nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// awaitGroups waits for the objects that need this one.
func (p *pass) awaitGroups(ctx context.Context) (step.Outcome, error) {
	var list api.CephFilesystemSubVolumeGroupList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.fs.Namespace)); err != nil {
		return step.None, fmt.Errorf("list CephFilesystemSubVolumeGroups: %w", err)
	}
	for _, group := range list.Items {
		if group.Spec.FilesystemName == p.fs.Name {
			p.blockers = append(p.blockers, "CephFilesystemSubVolumeGroup "+group.Name)
		}
	}
	if len(p.blockers) > 0 {
		return step.Retry(deletionRetry, api.ReasonDependents, "Still there: "+problem.Names(p.blockers)+"; delete them first"), nil
	}
	return step.Done, nil
}

func (p *pass) lookForDeletion(ctx context.Context) (step.Outcome, error) {
	if err := p.observeObjects(ctx, p.Client); err != nil {
		return step.None, err
	}
	return p.observe(ctx)
}

// keeps tells whether the file system outlives its object. One that we did not
// make is not ours to remove.
func (p *pass) keeps() bool {
	return p.fs.Spec.PreserveFilesystemOnDelete || len(p.fs.Spec.DataPools) == 0
}

// awaitSubvolumes refuses while anything of a user's is in the file system. One
// that never had a rank never held anything.
func (p *pass) awaitSubvolumes(ctx context.Context) (step.Outcome, error) {
	found := p.found()
	if found == nil || p.keeps() || found.Map.NeverServed() {
		return step.Done, nil
	}
	if found.Map.TakenDown() {
		p.blockers = []string{"file system " + p.fs.Name}
		return takenDown(deletionRetry, p.fs.Name), nil
	}
	if !found.Map.Flags.Joinable {
		// We took it down ourselves when we were interrupted, or somebody else did:
		// to see what is in it, it has to be served.
		if err := p.client.FSSet(ctx, p.fs.Name, "joinable", "true", ceph.Unconfirmed); err != nil {
			return step.None, fmt.Errorf("let metadata servers join %s: %w", p.fs.Name, err)
		}
	}
	if found.Map.Active() < max(1, len(found.Map.In)) {
		return step.Retry(deletionRetry, api.ReasonFilesystemsStarting,
			"Waiting for the metadata servers, to see whether the file system is empty"), nil
	}
	inside, err := p.subvolumes(ctx)
	if err != nil {
		return step.None, err
	}
	p.blockers = inside
	if len(inside) > 0 {
		return step.Retry(deletionRetry, api.ReasonDependents, fmt.Sprintf(
			"File system '%s' holds %s; delete the PersistentVolumeClaims or subvolumes first", p.fs.Name, problem.Names(inside))), nil
	}
	return step.Done, nil
}

// subvolumes names those of all groups and of none.
func (p *pass) subvolumes(ctx context.Context) ([]string, error) {
	groups, err := p.client.SubvolumeGroupList(ctx, p.fs.Name)
	if err != nil {
		return nil, fmt.Errorf("list subvolume groups: %w", err)
	}
	var inside []string
	for _, group := range append(groups, "") {
		names, err := p.client.SubvolumeList(ctx, p.fs.Name, group)
		if err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return nil, fmt.Errorf("list subvolumes: %w", err)
		}
		for _, name := range names {
			inside = append(inside, "subvolume "+strings.TrimPrefix(group+"/"+name, "/"))
		}
	}
	slices.Sort(inside)
	return inside, nil
}

// confirm reads the object anew, right before its file system is removed.
func (p *pass) confirm(ctx context.Context) (bool, error) {
	var live api.CephFilesystem
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.fs), &live)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read CephFilesystem: %w", err)
	}
	return live.UID == p.fs.UID && !live.DeletionTimestamp.IsZero() && live.Generation == p.fs.Generation, nil
}

// remove takes the file system down and forgets it, in one go after the last
// look inside.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	if p.found() == nil || p.keeps() {
		return step.Done, nil
	}
	if same, err := p.confirm(ctx); err != nil || !same {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the cache: the object has changed"), err
	}
	if err := p.client.FSFail(ctx, p.fs.Name, ceph.Really); err != nil {
		return step.None, fmt.Errorf("take down file system %s: %w", p.fs.Name, err)
	}
	if err := p.client.FSRemove(ctx, p.fs.Name, ceph.Really); err != nil {
		return step.None, fmt.Errorf("remove file system %s: %w", p.fs.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("file system removed", "filesystem", p.fs.Name)
	p.Events.Eventf(p.fs, nil, corev1.EventTypeNormal, "FilesystemRemoved", "RemoveFilesystem", "Removed file system %s", p.fs.Name)
	return step.Done, nil
}

// removePools removes the pools that the spec names and that no other file
// system or application has. Others are left.
func (p *pass) removePools(ctx context.Context) (step.Outcome, error) {
	if p.keeps() || p.fs.Spec.PreservePoolsOnDelete {
		return step.Done, nil
	}
	for _, want := range wanted(p.fs) {
		pool := p.pools.Pools[want.Name]
		if pool == nil || !ours(pool, p.fs.Name) || p.usedElsewhere(pool.ID) {
			continue
		}
		if err := p.client.PoolDelete(ctx, want.Name, ceph.Really); err != nil {
			return step.None, fmt.Errorf("delete pool %s: %w", want.Name, err)
		}
		if err := p.removeParts(ctx, want); err != nil {
			return step.None, err
		}
	}
	return step.Done, nil
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

// removeParts removes the CRUSH rule and the profile that are named after the
// pool, unless others use them.
func (p *pass) removeParts(ctx context.Context, want pools.Want) error {
	gone := func(err error) bool {
		return err == nil || errors.Is(err, ceph.ErrBusy) || errors.Is(err, ceph.ErrNotFound)
	}
	if p.pools.Rules[want.Name] != nil {
		if err := p.client.CrushRuleRemove(ctx, want.Name); !gone(err) {
			return fmt.Errorf("remove CRUSH rule %s: %w", want.Name, err)
		}
	}
	if want.Spec.IsErasureCoded() {
		if err := p.client.ErasureCodeProfileRemove(ctx, pools.ProfileName(want.Name)); !gone(err) {
			return fmt.Errorf("remove erasure code profile of %s: %w", want.Name, err)
		}
	}
	return nil
}

// endDaemons ends the metadata servers with their keys and options.
func (p *pass) endDaemons(ctx context.Context) (step.Outcome, error) {
	var problems problem.List
	ids := daemons.IDs(p.fs)
	for id := range p.deployments {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		problems.Add(p.end(ctx, id))
	}
	return step.Done, problems.Err()
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.known.Delete(p.fs.UID)
	p.tried.Delete(p.fs.UID)
	if err := p.Apply.RemoveFinalizer(ctx, p.fs, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.fs, Finalizer())
}
