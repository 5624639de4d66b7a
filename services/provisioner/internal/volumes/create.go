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

// CreateVolume makes the image that a request asks for, or finds the one that
// an earlier call for the same request made.
func (c *Controller) CreateVolume(
	ctx context.Context, request *csipb.CreateVolumeRequest,
) (*csipb.CreateVolumeResponse, error) {
	order, err := readOrder(request)
	if err != nil {
		return nil, err
	}
	unlock, err := c.turns.Take(order.clusterID + "/" + order.request.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cluster, err := c.connect(ctx, order.clusterID, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	at, err := openFor(ctx, cluster, order)
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	entry, image, err := at.create(ctx, order)
	if err != nil {
		return nil, call.Coded(err)
	}
	return created(order, at.pool, entry, image)
}

// openFor opens the pool of a new volume and says which parameter is wrong if
// that fails.
func openFor(ctx context.Context, cluster storage.Cluster, order order) (place, error) {
	at, err := open(ctx, cluster, order.pool)
	if errors.Is(err, ceph.ErrNotFound) {
		return place{}, missingPool(csi.ParamPool, order.clusterID, order.pool)
	}
	if err != nil || order.layout.DataPool == "" {
		return at, err
	}
	data, err := cluster.Pool(ctx, order.layout.DataPool, "")
	if err != nil {
		at.close()
		if errors.Is(err, ceph.ErrNotFound) {
			return place{}, missingPool(csi.ParamDataPool, order.clusterID, order.layout.DataPool)
		}
		return place{}, err
	}
	data.Close()
	return at, nil
}

// missingPool may mend itself: the pool may be on its way.
func missingPool(parameter, clusterID, pool string) error {
	return status.Errorf(codes.FailedPrecondition,
		"StorageClass parameter `%s`: cluster %s has no pool %q; create the CephBlockPool or correct the name", parameter, clusterID, pool)
}

// create is safe to repeat after an end at any call. First the journal, then the
// image, then the image's id in the journal: an image without a record cannot
// exist, and a record without an image is completed by the next try.
func (p place) create(ctx context.Context, order order) (journal.Entry, storage.Image, error) {
	entry, found, err := p.journal.Find(ctx, order.request.Name)
	if err == nil && !found {
		entry, err = p.journal.Reserve(ctx, order.request)
	}
	if err != nil {
		return journal.Entry{}, storage.Image{}, err
	}
	if entry.PoolID >= 0 && entry.PoolID != p.pool.ID() {
		return journal.Entry{}, storage.Image{}, status.Errorf(codes.AlreadyExists, "volume %s is in pool %d", order.request.Name, entry.PoolID)
	}
	image, err := p.pool.Image(ctx, entry.Image)
	if errors.Is(err, ceph.ErrNotFound) {
		image, err = p.makeImage(ctx, entry, order.layout)
	}
	if err != nil {
		return journal.Entry{}, storage.Image{}, err
	}
	if entry.ImageID != image.ID {
		if err := p.journal.SetImageID(ctx, entry.UUID, image.ID); err != nil {
			return journal.Entry{}, storage.Image{}, err
		}
	}
	return entry, image, nil
}

func (p place) makeImage(ctx context.Context, entry journal.Entry, layout storage.Layout) (storage.Image, error) {
	if err := p.pool.CreateImage(ctx, entry.Image, layout); err != nil && !errors.Is(err, ceph.ErrExists) {
		return storage.Image{}, fmt.Errorf("make image of volume %s: %w", entry.Request, err)
	}
	return p.pool.Image(ctx, entry.Image)
}

// created answers, unless the volume that is there does not fit the request.
func created(order order, pool storage.Pool, entry journal.Entry, image storage.Image) (*csipb.CreateVolumeResponse, error) {
	id := csi.VolumeID{ClusterID: order.clusterID, PoolID: pool.ID(), UUID: entry.UUID}
	if err := id.Valid(); err != nil {
		return nil, call.Invalid("StorageClass parameter `%s`: %v", csi.ParamClusterID, err)
	}
	if image.Size != order.layout.Size {
		return nil, status.Errorf(codes.AlreadyExists, "volume %s exists with %d bytes, not %d", order.request.Name, image.Size, order.layout.Size)
	}
	order.context[csi.ParamClusterID] = order.clusterID
	order.context[csi.ParamPool] = order.pool
	order.context[csi.ParamJournalPool] = order.pool
	order.context[csi.AttributeImageName] = entry.Image
	return &csipb.CreateVolumeResponse{Volume: &csipb.Volume{
		VolumeId:      id.String(),
		CapacityBytes: int64(image.Size),
		VolumeContext: order.context,
	}}, nil
}
