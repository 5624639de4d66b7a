package volumes

import (
	"context"
	"errors"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// DeleteVolume moves the image to the trash, lets a mgr remove it in the
// background, and forgets the volume. A volume that the journal does not know is
// gone already, or was never ours.
func (c *Controller) DeleteVolume(
	ctx context.Context, request *csipb.DeleteVolumeRequest,
) (*csipb.DeleteVolumeResponse, error) {
	handle := request.GetVolumeId()
	if handle == "" {
		return nil, call.Invalid("volume_id is missing")
	}
	unlock, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	at, entry, err := c.find(ctx, handle, request.GetSecrets())
	if status.Code(call.Coded(err)) == codes.NotFound {
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
	id, err := p.trash(ctx, entry)
	if err != nil {
		return err
	}
	if id != "" {
		if err := p.purge(ctx, id); err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return fmt.Errorf("remove %s/%s from the trash: %w", p.pool.Name(), id, err)
		}
	}
	return p.journal.Forget(ctx, entry)
}

// purge lets the mgr remove a trashed image in the background. A mgr whose
// rbd_support module did not load knows no such task; then we remove it here.
func (p place) purge(ctx context.Context, id string) error {
	err := (ceph.Client{Conn: p.cluster}).RBDTrashRemove(ctx, p.pool.Name()+"/"+id)
	if errors.Is(err, ceph.ErrInvalid) || errors.Is(err, ceph.ErrUnsupported) {
		return p.pool.PurgeTrashed(ctx, id)
	}
	return err
}

// trash moves the image to the trash and returns its id, which is empty when
// there is nothing left to remove.
func (p place) trash(ctx context.Context, entry journal.Entry) (string, error) {
	image, err := p.pool.Image(ctx, entry.Image)
	if errors.Is(err, ceph.ErrNotFound) {
		return p.findTrashed(ctx, entry)
	}
	if err != nil {
		return "", err
	}
	if err := ours(entry, image); err != nil {
		return "", err
	}
	if entry.ImageID == "" {
		// The next try must find it in the trash.
		if err := p.journal.SetImageID(ctx, entry.UUID, image.ID); err != nil {
			return "", err
		}
	}
	if err := p.free(ctx, entry.Image); err != nil {
		return "", err
	}
	if err := p.pool.TrashImage(ctx, entry.Image); err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return "", err
	}
	return image.ID, nil
}

// free refuses while a client has the image open.
func (p place) free(ctx context.Context, image string) error {
	watchers, err := p.pool.Watchers(ctx, image)
	if err != nil || len(watchers) == 0 {
		return err
	}
	return status.Errorf(codes.FailedPrecondition, "image %s/%s is in use by client %s", p.pool.Name(), image, watchers[0].Address)
}

// findTrashed looks for an image that an earlier try moved to the trash.
func (p place) findTrashed(ctx context.Context, entry journal.Entry) (string, error) {
	if entry.ImageID == "" {
		return "", nil
	}
	trash, err := p.pool.ListTrash(ctx)
	if err != nil {
		return "", err
	}
	for _, image := range trash {
		if image.ID == entry.ImageID {
			return image.ID, nil
		}
	}
	return "", nil
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
	at, _, err := c.find(ctx, request.GetVolumeId(), request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	for _, capability := range request.GetVolumeCapabilities() {
		if err := checkCapability(capability); err != nil {
			return &csipb.ValidateVolumeCapabilitiesResponse{Message: status.Convert(err).Message()}, nil
		}
	}
	return &csipb.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csipb.ValidateVolumeCapabilitiesResponse_Confirmed{
			VolumeContext: request.GetVolumeContext(), VolumeCapabilities: request.GetVolumeCapabilities(),
			Parameters: request.GetParameters(),
		},
	}, nil
}

// GetCapacity returns what a pool can still take; without parameters that name
// one, it is 0: there is no pool that a volume would go to.
func (c *Controller) GetCapacity(
	ctx context.Context, request *csipb.GetCapacityRequest,
) (*csipb.GetCapacityResponse, error) {
	if len(request.GetParameters()) == 0 {
		return &csipb.GetCapacityResponse{}, nil
	}
	clusterID, name := request.GetParameters()[csi.ParamClusterID], request.GetParameters()[csi.ParamPool]
	if data := request.GetParameters()[csi.ParamDataPool]; data != "" {
		name = data
	}
	if clusterID == "" || name == "" {
		return nil, call.Invalid("parameters `%s` and `%s` are needed to find the capacity", csi.ParamClusterID, csi.ParamPool)
	}
	cluster, err := c.connect(ctx, clusterID, nil)
	if err != nil {
		return nil, call.Coded(err)
	}
	return capacity(ctx, cluster, name)
}

func capacity(ctx context.Context, cluster storage.Cluster, name string) (*csipb.GetCapacityResponse, error) {
	usage, err := (ceph.Client{Conn: cluster}).DF(ctx)
	if err != nil {
		return nil, call.Coded(err)
	}
	for _, pool := range usage.Pools {
		if pool.Name == name {
			return &csipb.GetCapacityResponse{AvailableCapacity: int64(pool.Stats.MaxAvail)}, nil
		}
	}
	return nil, call.Invalid("parameter `%s`: no pool %q", csi.ParamPool, name)
}
