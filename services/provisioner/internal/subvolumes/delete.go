package subvolumes

import (
	"context"
	"errors"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// DeleteVolume moves the subvolume to the trash, which the mgr empties in the
// background, and forgets the volume. Its snapshots stay until they are deleted. A
// volume that the journal does not know is gone already, or was never ours.
func (c *Controller) DeleteVolume(
	ctx context.Context, request *csipb.DeleteVolumeRequest,
) (*csipb.DeleteVolumeResponse, error) {
	handle := request.GetVolumeId()
	if handle == "" {
		return nil, call.Invalid("volume_id is missing")
	}
	end, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	at, entry, err := c.find(ctx, journal.Volumes, handle, request.GetSecrets())
	if missing(err) {
		return &csipb.DeleteVolumeResponse{}, nil
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	if err := at.remove(ctx, entry); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.DeleteVolumeResponse{}, nil
}

// remove is safe to repeat after an end at any call: the record goes last.
func (p place) remove(ctx context.Context, entry journal.Entry) error {
	if entry.BackingSnapshot != "" {
		if err := p.unshow(ctx, entry); err != nil {
			return err
		}
		return p.journal(journal.Volumes).Forget(ctx, entry)
	}
	at := p.subvolume(entry.Group, entry.Image)
	err := p.SubvolumeRemove(ctx, at, ceph.KeepSnapshots)
	if errors.Is(err, ceph.ErrAgain) {
		err = p.removeUnfinished(ctx, at)
	}
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove subvolume of volume %s: %w", entry.Request, err)
	}
	if err := p.dropPassing(ctx, p.recorded(entry)); err != nil {
		return err
	}
	return p.journal(journal.Volumes).Forget(ctx, entry)
}

// removeUnfinished removes a copy that is not complete, with the snapshot that
// was made for it.
func (p place) removeUnfinished(ctx context.Context, at ceph.Subvolume) error {
	state, err := p.CloneStatus(ctx, at)
	if err != nil {
		return err
	}
	if state.State == ceph.ClonePending || state.State == ceph.CloneInProgress {
		if err := p.CloneCancel(ctx, at); err != nil && !errors.Is(err, ceph.ErrInvalid) {
			return err
		}
	}
	if state.Source.Snapshot == at.Name {
		source := ceph.Subvolume{Volume: at.Volume, Group: state.Source.Group, Name: state.Source.Subvolume}
		if err := p.SnapshotRemove(ctx, source, at.Name); err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return err
		}
	}
	return p.SubvolumeRemove(ctx, at, ceph.RemoveUnfinished)
}

// unshow lets the snapshot of a volume go that is one.
func (p place) unshow(ctx context.Context, entry journal.Entry) error {
	id, err := csi.ParseVolumeID(entry.BackingSnapshot)
	if err != nil {
		return fmt.Errorf("read snapshot of volume %s: %w", entry.Request, err)
	}
	return p.journal(journal.Snapshots).RemoveUser(ctx, id.UUID, entry.UUID)
}

// ValidateVolumeCapabilities tells whether a volume can be used in the given ways.
func (c *Controller) ValidateVolumeCapabilities(
	ctx context.Context, request *csipb.ValidateVolumeCapabilitiesRequest,
) (*csipb.ValidateVolumeCapabilitiesResponse, error) {
	if request.GetVolumeId() == "" {
		return nil, call.Invalid("volume_id is missing")
	}
	if len(request.GetVolumeCapabilities()) == 0 {
		return nil, call.Invalid("volume_capabilities are missing")
	}
	at, entry, err := c.find(ctx, journal.Volumes, request.GetVolumeId(), request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	for _, capability := range request.GetVolumeCapabilities() {
		if err := checkCapability(capability); err != nil {
			return &csipb.ValidateVolumeCapabilitiesResponse{Message: err.Error()}, nil
		}
		if entry.BackingSnapshot != "" && !reads(capability) {
			return &csipb.ValidateVolumeCapabilitiesResponse{Message: "the volume shows a snapshot and can only be read"}, nil
		}
	}
	return &csipb.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csipb.ValidateVolumeCapabilitiesResponse_Confirmed{
			VolumeContext: request.GetVolumeContext(), VolumeCapabilities: request.GetVolumeCapabilities(),
			Parameters: request.GetParameters(),
		},
	}, nil
}
