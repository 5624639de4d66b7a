package filesystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/owner"
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
		step.Named("clients", p.unlessOrphaned(p.awaitClients)),
		step.Named("remove", p.unlessOrphaned(p.remove)),
		step.Named("pools", p.unlessOrphaned(p.removePools)),
		step.Named("daemons", p.unlessOrphaned(p.endDaemons)),
		step.Named("release", p.release),
	}
}

// findClusterForDeletion lets a file system go whose cluster is gone, or never
// came to be: nobody could remove it, and nobody may.
func (p *pass) findClusterForDeletion(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.fs.Namespace)
	if found != nil && found.Status.Connection == nil && p.before.FilesystemID == nil {
		found = nil
	}
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
	if len(p.blockers) == 0 {
		return step.Done, nil
	}
	p.nameSubvolumes(ctx)
	return step.Retry(deletionRetry, api.ReasonDependents, "Still there: "+problem.Names(p.blockers)+"; delete them first"), nil
}

// nameSubvolumes adds what is in the file system to what is named, so that a person
// hears of all that has to go at once. One that is not served now is looked into when
// the objects are gone.
func (p *pass) nameSubvolumes(ctx context.Context) {
	if p.keeps() {
		return
	}
	ready := step.Run(ctx, step.Named("cluster", p.findClusterForDeletion),
		step.Named("connect", p.unlessOrphaned(p.connect)), step.Named("look", p.unlessOrphaned(p.lookForDeletion)))
	found := p.found()
	if !ready.IsDone() || p.cluster == nil || found == nil || !found.Map.Flags.Joinable || !whole(found.Map) {
		return
	}
	if inside, err := p.subvolumes(ctx); err == nil {
		p.blockers = append(p.blockers, inside...)
	}
}

// whole tells whether all ranks of a file system are served.
func whole(m ceph.MDSMap) bool { return m.Active() >= max(1, len(m.In)) }

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
	if !whole(found.Map) {
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

// awaitClients refuses to take the metadata servers from under those who have a
// file system mounted that outlives its object: they would hang until it comes
// back. When nobody serves it, they hang already.
func (p *pass) awaitClients(ctx context.Context) (step.Outcome, error) {
	found := p.found()
	if found == nil || !p.keeps() || found.Map.Active() == 0 {
		return step.Done, nil
	}
	count, err := p.client.FSClients(ctx, p.fs.Name)
	if err != nil {
		return step.None, fmt.Errorf("count clients of %s: %w", p.fs.Name, err)
	}
	if count == 0 {
		return step.Done, nil
	}
	p.blockers = []string{"clients"}
	return step.Retry(deletionRetry, api.ReasonDependents, mounted(p.fs.Name, count)), nil
}

func mounted(fs string, count int) string {
	who := "1 client has"
	if count > 1 {
		who = fmt.Sprintf("%d clients have", count)
	}
	return fmt.Sprintf("%s file system '%s' mounted; end the pods that use it (Ceph counts its manager for up to 2 minutes after a volume was "+
		"made, changed or removed, and a client that died for 5)", who, fs)
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

// endDaemons ends the metadata servers with their keys and options.
func (p *pass) endDaemons(ctx context.Context) (step.Outcome, error) {
	var problems problem.List
	ids := daemons.IDs(p.fs)
	for id := range p.deployments {
		ids = append(ids, id)
	}
	for id := range p.secrets {
		ids = append(ids, id) // what a crash left behind
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		problems.Add(p.end(ctx, id))
	}
	return step.Done, problems.Err()
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	p.known.Delete(p.fs.UID)
	p.tried.Forget(p.fs.UID)
	if p.cluster != nil {
		if err := p.token().Release(ctx, p.cluster); err != nil {
			return step.None, err
		}
	}
	if err := p.Apply.RemoveFinalizer(ctx, p.fs, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.fs, Finalizer())
}
