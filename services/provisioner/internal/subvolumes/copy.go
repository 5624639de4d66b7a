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
// codes.Aborted, and the next one goes on.
func (c *Controller) copy(ctx context.Context, p place, order order) (*csipb.Volume, error) {
	from, _, err := c.origin(ctx, p, order)
	if err != nil {
		return nil, err
	}
	entry, _, err := p.reserve(ctx, order.request)
	if err != nil {
		return nil, err
	}
	if from.passing {
		from.snapshot = entry.Image
	}
	at := p.subvolume(entry.Group, entry.Image)
	if err := c.finish(ctx, p, from, at, order); err != nil {
		return nil, err
	}
	info, err := p.SubvolumeInfo(ctx, at)
	if err != nil {
		return nil, err
	}
	if from.passing {
		if err := p.SnapshotRemove(ctx, from.at, from.snapshot); err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return nil, fmt.Errorf("remove the snapshot that was copied: %w", err)
		}
	}
	if info.BytesQuota, err = p.enlarge(ctx, at, info.BytesQuota, order); err != nil {
		return nil, err
	}
	return p.describe(order, entry, info, nil)
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
	if order.limit > 0 && int64(size) > order.limit {
		return 0, status.Errorf(codes.OutOfRange, "the data source has %d bytes, more than limit_bytes %d", size, order.limit)
	}
	return size, nil
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
		if err := p.SnapshotCreate(ctx, from.at, from.snapshot); err != nil {
			return fmt.Errorf("take a snapshot of the data source: %w", err)
		}
	}
	err := p.SnapshotClone(ctx, from.at, from.snapshot, at, order.pool)
	if err != nil && !errors.Is(err, ceph.ErrExists) {
		return fmt.Errorf("copy the data source: %w", err)
	}
	return nil
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
	order.request.BackingSnapshot = order.snapshot
	volume, found, err := p.journal(journal.Volumes).Find(ctx, order.request.Name)
	if err != nil {
		return nil, err
	}
	if !found {
		volume.UUID = p.journal(journal.Volumes).UUID(order.request)
	}
	if err := p.journal(journal.Snapshots).AddUser(ctx, snapshot.UUID, volume.UUID); err != nil {
		return nil, err
	}
	entry, _, err := p.reserve(ctx, order.request)
	if err != nil {
		return nil, err
	}
	if order.limit > 0 && int64(info.BytesQuota) > order.limit {
		return nil, status.Errorf(codes.OutOfRange, "the snapshot has %d bytes, more than limit_bytes %d", info.BytesQuota, order.limit)
	}
	root, data := path.Split(info.Path)
	info.Path = path.Clean(root)
	return p.describe(order, entry, info, map[string]string{
		csi.AttributeSnapshotRoot: path.Join(".snap", from.snapshot, data),
		csi.AttributeSnapshotID:   order.snapshot,
	})
}
