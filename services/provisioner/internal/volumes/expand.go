package volumes

import (
	"context"
	"fmt"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// ControllerExpandVolume makes the image of a volume larger, and never smaller. The nodes
// that have it must be told, and what is on it grows there.
func (c *Controller) ControllerExpandVolume(
	ctx context.Context, request *csipb.ControllerExpandVolumeRequest,
) (*csipb.ControllerExpandVolumeResponse, error) {
	size, err := call.Expansion(request, mebibyte)
	if err != nil {
		return nil, err
	}
	handle := request.GetVolumeId()
	unlock, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	at, entry, err := c.find(ctx, handle, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	// A node that shows the new size to its clients sends the size that it read.
	err = at.journal.Locked(ctx, entry.UUID, func(entry journal.Entry) (err error) {
		size, err = at.expand(ctx, entry, size)
		return err
	})
	if err != nil {
		return nil, call.Coded(err)
	}
	if limit := request.GetCapacityRange().GetLimitBytes(); limit > 0 && size > uint64(limit) {
		return nil, status.Errorf(codes.OutOfRange, "volume %s has %d bytes, which is more than limit_bytes %d", entry.Request, size, limit)
	}
	return &csipb.ControllerExpandVolumeResponse{CapacityBytes: int64(size), NodeExpansionRequired: true}, nil
}

// expand returns the size that the image has in the end.
func (p place) expand(ctx context.Context, entry journal.Entry, size uint64) (uint64, error) {
	image, err := p.pool.Image(ctx, entry.Image)
	if err != nil {
		return 0, fmt.Errorf("expand volume %s: %w", entry.Request, err)
	}
	if err := ours(entry, image); err != nil {
		return 0, err
	}
	if image.Size >= size {
		return image.Size, nil
	}
	if err := p.fits(ctx, entry, image, size); err != nil {
		return 0, err
	}
	if err := p.pool.GrowImage(ctx, entry.Image, size); err != nil {
		return 0, fmt.Errorf("expand volume %s: %w", entry.Request, err)
	}
	return size, nil
}

// ours refuses an image that only has the name of the volume's.
func ours(entry journal.Entry, image storage.Image) error {
	if entry.ImageID == "" || entry.ImageID == image.ID {
		return nil
	}
	return fmt.Errorf("%w: volume %s has image %s with id %s, and the journal says %s",
		journal.ErrInconsistent, entry.Request, entry.Image, image.ID, entry.ImageID)
}

// fits refuses a size that the pool of the data could never hold.
func (p place) fits(ctx context.Context, entry journal.Entry, image storage.Image, size uint64) error {
	// Ceph tells the quota of a single pool only when it has statistics of it.
	pools, err := (ceph.Client{Conn: p.cluster}).PoolList(ctx)
	if err != nil {
		return fmt.Errorf("read quotas of pools: %w", err)
	}
	at := slices.IndexFunc(pools, func(pool ceph.Pool) bool { return int64(pool.ID) == image.DataPool })
	if at < 0 || pools[at].QuotaMaxBytes == 0 || size <= pools[at].QuotaMaxBytes {
		return nil
	}
	return status.Errorf(codes.OutOfRange, "volume %s asks for %d bytes and pool %s has a quota of %d; ask for less or raise the quota",
		entry.Request, size, pools[at].Name, pools[at].QuotaMaxBytes)
}
