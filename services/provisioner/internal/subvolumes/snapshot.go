package subvolumes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// CreateSnapshot takes a snapshot of a volume, or finds the one that an earlier
// call for the same request took.
func (c *Controller) CreateSnapshot(
	ctx context.Context, request *csipb.CreateSnapshotRequest,
) (*csipb.CreateSnapshotResponse, error) {
	source := request.GetSourceVolumeId()
	switch {
	case request.GetName() == "":
		return nil, call.Invalid("name is missing")
	case source == "":
		return nil, call.Invalid("source_volume_id is missing")
	}
	end, err := c.turns.Take(request.GetName())
	if err != nil {
		return nil, err
	}
	defer end()
	at, volume, err := c.find(ctx, journal.Volumes, source, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	if volume.BackingSnapshot != "" {
		return nil, call.Invalid("volume %s shows a snapshot; there is nothing to take a snapshot of", volume.Request)
	}
	snapshot, err := at.take(ctx, volume, journal.Request{
		Name: request.GetName(), ClusterID: at.clusterID, ImagePrefix: request.GetParameters()[csi.ParamSnapshotNamePrefix],
		Source: volume.Image, Group: volume.Group,
	})
	if err != nil {
		return nil, call.Coded(err)
	}
	snapshot.SourceVolumeId = source
	return &csipb.CreateSnapshotResponse{Snapshot: snapshot}, nil
}

// take is safe to repeat after an end at any call.
func (p place) take(ctx context.Context, volume journal.Entry, request journal.Request) (*csipb.Snapshot, error) {
	records := p.journal(journal.Snapshots)
	entry, found, err := records.Find(ctx, request.Name)
	if err == nil && found && entry.Source != request.Source {
		err = status.Errorf(codes.AlreadyExists, "snapshot %s exists of another volume", request.Name)
	}
	if err != nil {
		return nil, err
	}
	at := p.subvolume(volume.Group, volume.Image)
	size, err := p.SubvolumeInfo(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("take snapshot of volume %s: %w", volume.Request, err)
	}
	if !found {
		if entry, err = records.Reserve(ctx, request); err != nil {
			return nil, err
		}
	}
	if err := p.SnapshotCreate(ctx, at, entry.Image); err != nil {
		return nil, fmt.Errorf("take snapshot of volume %s: %w", volume.Request, err)
	}
	info, err := p.SnapshotInfo(ctx, at, entry.Image)
	if err != nil {
		return nil, fmt.Errorf("take snapshot of volume %s: %w", volume.Request, err)
	}
	return &csipb.Snapshot{
		SnapshotId: p.handle(entry.UUID).String(), SizeBytes: int64(size.BytesQuota),
		CreationTime: timestamppb.New(info.CreatedAt), ReadyToUse: true,
	}, nil
}

// DeleteSnapshot removes a snapshot and forgets it. One that volumes show is
// kept; the error names them.
func (c *Controller) DeleteSnapshot(
	ctx context.Context, request *csipb.DeleteSnapshotRequest,
) (*csipb.DeleteSnapshotResponse, error) {
	handle := request.GetSnapshotId()
	if handle == "" {
		return nil, call.Invalid("snapshot_id is missing")
	}
	end, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	at, entry, err := c.find(ctx, journal.Snapshots, handle, request.GetSecrets())
	if missing(err) {
		return &csipb.DeleteSnapshotResponse{}, nil
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	users, err := at.users(ctx, entry)
	if err != nil {
		return nil, call.Coded(err)
	}
	if len(users) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "snapshot is shown by volumes (%s); delete them first", strings.Join(users, ", "))
	}
	err = at.SnapshotRemove(ctx, at.subvolume(entry.Group, entry.Source), entry.Image)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return nil, call.Coded(fmt.Errorf("remove snapshot %s: %w", entry.Request, err))
	}
	return &csipb.DeleteSnapshotResponse{}, call.Coded(at.journal(journal.Snapshots).Forget(ctx, entry))
}

// users names the volumes that show a snapshot, and forgets those that never
// came to be.
func (p place) users(ctx context.Context, snapshot journal.Entry) ([]string, error) {
	var names []string
	for _, id := range snapshot.Users {
		volume, err := p.journal(journal.Volumes).Entry(ctx, id)
		switch {
		case err == nil && volume.Request != "":
			names = append(names, volume.Request)
		case err == nil || errors.Is(err, ceph.ErrNotFound):
			if err := p.journal(journal.Snapshots).RemoveUser(ctx, snapshot.UUID, id); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
	return names, nil
}
