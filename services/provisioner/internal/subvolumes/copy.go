package subvolumes

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// origin is what a new volume is copied from.
type origin struct {
	at ceph.Subvolume
	// snapshot is the snapshot to copy; passing ones are made for this copy and
	// removed after it.
	snapshot string
	passing  bool
}

// origin finds the source of a copy. It must be in the same file system.
func (c *Controller) origin(ctx context.Context, p place, order order) (origin, journal.Entry, error) {
	kind, handle := journal.Snapshots, order.snapshot
	if order.volume != "" {
		kind, handle = journal.Volumes, order.volume
	}
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return origin{}, journal.Entry{}, status.Error(codes.NotFound, err.Error())
	}
	if id.ClusterID != p.clusterID || id.PoolID != p.volume.ID {
		return origin{}, journal.Entry{}, call.Invalid("the data source is not in file system %s of cluster %s; use a StorageClass for the one that it is in",
			p.volume.Name, p.clusterID)
	}
	entry, err := p.journal(kind).Entry(ctx, id.UUID)
	if err == nil && entry.Request == "" {
		err = fmt.Errorf("%s: %w", handle, ceph.ErrNotFound)
	}
	if err != nil {
		return origin{}, journal.Entry{}, fmt.Errorf("find data source: %w", err)
	}
	if kind == journal.Snapshots {
		return origin{at: p.subvolume(entry.Group, entry.Source), snapshot: entry.Image}, entry, nil
	}
	if entry.BackingSnapshot != "" {
		return origin{}, journal.Entry{}, call.Invalid("the data source shows a snapshot; use the snapshot itself as the data source")
	}
	return origin{at: p.subvolume(entry.Group, entry.Image), passing: true}, entry, nil
}

// copy makes a volume with the content of a snapshot or of another volume. The
// mgr copies in the background; until that is complete the call ends with
// codes.Aborted, and the next one goes on. When the copy cannot be made, nothing of it is left,
// because the claim may go before anybody asks again.
func (c *Controller) copy(ctx context.Context, p place, order order) (*csipb.Volume, error) {
	entry, from, err := c.plan(ctx, p, order)
	if err != nil {
		return nil, err
	}
	volume, err := c.fill(ctx, p, entry, from, order)
	if entry.Copy != nil && refused(err) {
		return nil, undone(err, p.abandon(ctx, entry, from))
	}
	return volume, err
}

// plan returns the record of a copy, which it makes if need be, and what is
// copied. A copy that was begun goes on, whatever has become of its source.
func (c *Controller) plan(ctx context.Context, p place, order order) (journal.Entry, origin, error) {
	entry, found, err := p.journal(journal.Volumes).Find(ctx, order.request.Name)
	switch {
	case err != nil:
		return journal.Entry{}, origin{}, err
	case !found:
		return c.record(ctx, p, order)
	case entry.BackingSnapshot != "":
		return journal.Entry{}, origin{}, different(order.request)
	case entry.Copy != nil:
		return entry, p.recorded(entry), nil
	}
	// Nothing is left to do, or another writer began it.
	from, _, err := c.origin(ctx, p, order)
	if err != nil {
		state, unknown := p.CloneStatus(ctx, p.subvolume(entry.Group, entry.Image))
		if unknown == nil && state.State == ceph.CloneComplete {
			return entry, origin{}, nil
		}
		return journal.Entry{}, origin{}, err
	}
	if from.passing {
		from.snapshot = entry.Image
	}
	return entry, from, nil
}

// record writes down a new copy, after what can be known to fail was refused.
func (c *Controller) record(ctx context.Context, p place, order order) (journal.Entry, origin, error) {
	from, _, err := c.origin(ctx, p, order)
	if err == nil {
		err = p.admit(ctx, from, order)
	}
	if err != nil {
		return journal.Entry{}, origin{}, err
	}
	order.request.Copy = &journal.Copy{Group: from.at.Group, Subvolume: from.at.Name, Snapshot: from.snapshot}
	entry, _, err := p.reserve(ctx, order.request)
	if err != nil {
		return journal.Entry{}, origin{}, err
	}
	return entry, p.recorded(entry), nil
}

// recorded is what a record says is copied.
func (p place) recorded(entry journal.Entry) origin {
	if entry.Copy == nil {
		return origin{}
	}
	from := origin{at: p.subvolume(entry.Copy.Group, entry.Copy.Subvolume), snapshot: entry.Copy.Snapshot}
	if from.snapshot == "" {
		from.snapshot, from.passing = entry.Image, true
	}
	return from
}

// admit refuses a copy that Ceph would refuse, or that would be too large.
func (p place) admit(ctx context.Context, from origin, order order) error {
	at := p.subvolume(order.request.Group, "")
	if err := p.room(ctx, at, order); err != nil {
		return err
	}
	if err := p.takes(ctx, at, order); err != nil {
		return err
	}
	if !from.passing || order.limit == 0 {
		return nil // a snapshot has the size of its time, which Ceph does not tell
	}
	info, err := p.SubvolumeInfo(ctx, from.at)
	if err != nil {
		return fmt.Errorf("find subvolume of the data source: %w", err)
	}
	return order.limits(uint64(info.BytesQuota))
}

// takes refuses a pool that is none of the file system's.
func (p place) takes(ctx context.Context, at ceph.Subvolume, order order) error {
	if order.pool == "" {
		return nil
	}
	for _, id := range p.volume.DataPools {
		name, err := p.cluster.PoolName(ctx, id)
		if name == order.pool && err == nil {
			return nil
		}
		if err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return err
		}
	}
	return p.explain(fmt.Errorf("find pool: %w", ceph.ErrInvalid), at, order)
}

// limits refuses a size that is more than what was allowed.
func (o order) limits(size uint64) error {
	if o.limit > 0 && size > uint64(o.limit) {
		return status.Errorf(codes.OutOfRange, "the data source has %d bytes, more than limit_bytes %d", size, o.limit)
	}
	return nil
}

// fill makes the copy that is recorded.
func (c *Controller) fill(ctx context.Context, p place, entry journal.Entry, from origin, order order) (*csipb.Volume, error) {
	at := p.subvolume(entry.Group, entry.Image)
	if err := c.finish(ctx, p, from, at, order); err != nil {
		return nil, err
	}
	info, err := p.SubvolumeInfo(ctx, at)
	if err != nil {
		return nil, err
	}
	if info.BytesQuota, err = p.enlarge(ctx, at, info.BytesQuota, order); err != nil {
		return nil, err
	}
	if err := p.dropPassing(ctx, from); err != nil {
		return nil, err
	}
	if entry.Copy != nil {
		if err := p.journal(journal.Volumes).Copied(ctx, entry.UUID); err != nil {
			return nil, err
		}
	}
	return p.describe(order, entry, info, nil)
}

// abandon removes a copy that nobody was told of, and its record last.
func (p place) abandon(ctx context.Context, entry journal.Entry, from origin) error {
	err := p.removeUnfinished(ctx, p.subvolume(entry.Group, entry.Image))
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return err
	}
	if err := p.dropPassing(ctx, from); err != nil {
		return err
	}
	return p.journal(journal.Volumes).Forget(ctx, entry)
}

// dropPassing removes the snapshot that was taken for a copy.
func (p place) dropPassing(ctx context.Context, from origin) error {
	if !from.passing {
		return nil
	}
	if err := p.SnapshotRemove(ctx, from.at, from.snapshot); err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove the snapshot that was copied: %w", err)
	}
	return nil
}

// enlarge gives a copy the size that was asked for; a copy begins with that of
// its source.
func (p place) enlarge(ctx context.Context, at ceph.Subvolume, size ceph.Bytes, order order) (ceph.Bytes, error) {
	if uint64(size) < order.size {
		if err := p.SubvolumeResize(ctx, at, order.size); err != nil {
			return 0, fmt.Errorf("enlarge copy: %w", err)
		}
		size = ceph.Bytes(order.size)
	}
	return size, order.limits(uint64(size))
}

// finish begins the copy if need be and waits until it is complete.
func (c *Controller) finish(ctx context.Context, p place, from origin, at ceph.Subvolume, order order) error {
	state, err := p.CloneStatus(ctx, at)
	if errors.Is(err, ceph.ErrNotFound) {
		if err := p.begin(ctx, from, at, order); err != nil {
			return err
		}
		state, err = p.CloneStatus(ctx, at)
	}
	if err != nil {
		return fmt.Errorf("read state of copy: %w", err)
	}
	const pace = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, c.CopyPatience)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for state.State == ceph.ClonePending || state.State == ceph.CloneInProgress {
		select {
		case <-ctx.Done():
			return status.Errorf(codes.Aborted, "copying the data source is %s", state.State)
		case <-tick.C:
		}
		if state, err = p.CloneStatus(ctx, at); err != nil {
			return fmt.Errorf("read state of copy: %w", err)
		}
	}
	if state.State == ceph.CloneComplete {
		return nil
	}
	// The next try begins anew.
	if err := p.SubvolumeRemove(context.WithoutCancel(ctx), at, ceph.RemoveUnfinished); err != nil {
		return fmt.Errorf("remove copy that is %s: %w", state.State, err)
	}
	return status.Errorf(codes.Internal, "copying the data source is %s: %s", state.State, state.Failure.Message)
}

// begin orders the copy.
func (p place) begin(ctx context.Context, from origin, at ceph.Subvolume, order order) error {
	if from.passing {
		err := p.SnapshotCreate(ctx, from.at, from.snapshot)
		if errors.Is(err, ceph.ErrNotFound) {
			_, err = p.SnapshotInfo(ctx, from.at, from.snapshot) // the source may have been deleted since it was taken
		}
		if err != nil {
			return fmt.Errorf("take a snapshot of the data source: %w", err)
		}
	}
	err := p.SnapshotClone(ctx, from.at, from.snapshot, at, order.pool)
	switch {
	case err == nil || errors.Is(err, ceph.ErrExists):
		return nil
	case errors.Is(err, ceph.ErrInvalid):
		return p.explain(err, at, order)
	}
	return fmt.Errorf("copy the data source: %w", err)
}

// show makes a volume that is a snapshot, without a copy. The snapshot is kept
// from deletion before the volume is recorded.
func (c *Controller) show(ctx context.Context, p place, order order) (*csipb.Volume, error) {
	end, err := c.turns.Take(order.snapshot)
	if err != nil {
		return nil, err
	}
	defer end()
	from, snapshot, err := c.origin(ctx, p, order)
	if err != nil {
		return nil, err
	}
	info, err := p.SubvolumeInfo(ctx, from.at)
	if err != nil {
		return nil, fmt.Errorf("find subvolume of the snapshot: %w", err)
	}
	if info.State != ceph.SubvolumeComplete {
		return nil, status.Errorf(codes.FailedPrecondition,
			"the volume of the snapshot was deleted; use a StorageClass with `%s: \"false\"` to copy the snapshot", csi.ParamBackingSnapshot)
	}
	if _, err := p.SnapshotInfo(ctx, from.at, from.snapshot); err != nil {
		return nil, fmt.Errorf("find snapshot: %w", err)
	}
	if err := order.limits(uint64(info.BytesQuota)); err != nil {
		return nil, err
	}
	order.request.BackingSnapshot = order.snapshot
	user, err := p.user(ctx, order.request)
	if err != nil {
		return nil, err
	}
	if err := p.journal(journal.Snapshots).AddUser(ctx, snapshot.UUID, user); err != nil {
		return nil, err
	}
	entry, _, err := p.reserve(ctx, order.request)
	if err != nil {
		return nil, err
	}
	root, data := path.Split(info.Path)
	info.Path = path.Clean(root)
	return p.describe(order, entry, info, map[string]string{
		csi.AttributeSnapshotRoot: path.Join(".snap", from.snapshot, data),
		csi.AttributeSnapshotID:   order.snapshot,
	})
}

// user is the uuid that a volume has or will have.
func (p place) user(ctx context.Context, request journal.Request) (string, error) {
	volume, found, err := p.journal(journal.Volumes).Find(ctx, request.Name)
	switch {
	case err != nil:
		return "", err
	case found:
		return volume.UUID, same(volume, request)
	}
	return p.journal(journal.Volumes).UUID(request), p.fresh(ctx, request)
}
