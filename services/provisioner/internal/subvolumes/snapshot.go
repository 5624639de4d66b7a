package subvolumes

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	if err := c.sameCluster(ctx, at.clusterID, request.GetParameters()[csi.ParamClusterID]); err != nil {
		return nil, call.Coded(err)
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

// sameCluster refuses a class for another cluster than that of the volume. Either may
// be named by its namespace or by a subvolume group.
func (c *Controller) sameCluster(ctx context.Context, volume, class string) error {
	if class == "" || class == volume {
		return nil
	}
	asked, err := c.Clusters.Connection(ctx, class)
	if err != nil {
		return fmt.Errorf("VolumeSnapshotClass parameter `%s`: %w", csi.ParamClusterID, err)
	}
	has, err := c.Clusters.Connection(ctx, volume)
	if err == nil && has.FSID != asked.FSID {
		err = call.Invalid("VolumeSnapshotClass parameter `%s`: %q is another cluster than %q, which has the volume", csi.ParamClusterID, class, volume)
	}
	return err
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
	if err := at.journal(journal.Snapshots).ForgetReferences(ctx, handle); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.DeleteSnapshotResponse{}, call.Coded(at.journal(journal.Snapshots).Forget(ctx, entry))
}

// FindSnapshot returns the handle of the snapshot that CreateSnapshot took or began
// to take of a volume under a name, or "" if there is none.
func (c *Controller) FindSnapshot(ctx context.Context, volume, name string, secrets map[string]string) (string, error) {
	id, err := csi.ParseVolumeID(volume)
	if err != nil {
		return "", nil // no snapshot is ever taken of a volume that is not ours
	}
	at, err := c.open(ctx, id.ClusterID, secrets, func(v ceph.Volume) bool { return v.ID == id.PoolID })
	if errors.Is(err, errNoFilesystem) {
		return "", nil
	}
	if err != nil {
		return "", call.Coded(err)
	}
	defer at.close()
	records := at.journal(journal.Snapshots)
	entry, found, err := records.Find(ctx, name)
	if err == nil && !found {
		// The name may not have been written any more.
		entry, err = records.Entry(ctx, records.UUID(journal.Request{Name: name, ClusterID: at.clusterID}))
		found = err == nil && entry.Request == name
	}
	switch {
	case err != nil && !errors.Is(err, ceph.ErrNotFound):
		return "", call.Coded(err)
	case !found:
		return "", nil
	}
	return at.handle(entry.UUID).String(), nil
}

// users names the volumes that show a snapshot, whoever made them, and forgets
// those that never came to be.
func (p place) users(ctx context.Context, snapshot journal.Entry) ([]string, error) {
	records := p.journal(journal.Snapshots)
	handles, err := records.References(ctx, p.handle(snapshot.UUID).String())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, handle := range handles {
		name, err := p.shows(ctx, handle)
		if err != nil {
			return nil, err
		}
		if name != "" {
			names = append(names, name)
		}
	}
	for _, id := range snapshot.Users {
		name, err := p.request(ctx, id)
		if err == nil && name == "" {
			err = records.RemoveUser(ctx, snapshot.UUID, id)
		}
		if err != nil {
			return nil, err
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// shows names the volume of a reference; one that this journal cannot know is
// taken to be there.
func (p place) shows(ctx context.Context, handle string) (string, error) {
	id, err := csi.ParseVolumeID(handle)
	if err != nil || id.PoolID != p.volume.ID {
		return handle, nil //nolint:nilerr // a snapshot is kept for what we do not understand
	}
	return p.request(ctx, id.UUID)
}

// request names a volume, or returns "" if it is not recorded.
func (p place) request(ctx context.Context, id string) (string, error) {
	volume, err := p.journal(journal.Volumes).Entry(ctx, id)
	if errors.Is(err, ceph.ErrNotFound) {
		return "", nil
	}
	return volume.Request, err
}
