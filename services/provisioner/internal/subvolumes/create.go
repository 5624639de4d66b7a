package subvolumes

import (
	"context"
	"errors"
	"fmt"
	"maps"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// CreateVolume makes the subvolume that a request asks for, or finds the one
// that an earlier call for the same request made.
func (c *Controller) CreateVolume(
	ctx context.Context, request *csipb.CreateVolumeRequest,
) (*csipb.CreateVolumeResponse, error) {
	order, err := readOrder(request)
	if err != nil {
		return nil, err
	}
	return c.make(ctx, request, order, func(ctx context.Context, at place) (*csipb.Volume, error) {
		switch {
		case order.shallow:
			return c.show(ctx, at, order)
		case order.snapshot != "" || order.volume != "":
			return c.copy(ctx, at, order)
		}
		return at.create(ctx, order)
	})
}

// ResumeVolume goes on with what CreateVolume began to fill for the same request
// when its source can no longer be named. codes.NotFound says that nothing was begun.
func (c *Controller) ResumeVolume(
	ctx context.Context, request *csipb.CreateVolumeRequest,
) (*csipb.CreateVolumeResponse, error) {
	order, err := readVolume(request)
	if err != nil {
		return nil, err
	}
	return c.make(ctx, request, order, func(ctx context.Context, at place) (*csipb.Volume, error) {
		entry, found, err := at.journal(journal.Volumes).Find(ctx, order.request.Name)
		switch {
		case err != nil:
			return nil, err
		case !found:
			return nil, status.Errorf(codes.NotFound, "volume %s was not begun", order.request.Name)
		case entry.BackingSnapshot != "":
			order.snapshot = entry.BackingSnapshot
			return c.show(ctx, at, order)
		}
		return c.copy(ctx, at, order)
	})
}

// make opens the file system of an order and makes its volume.
func (c *Controller) make(
	ctx context.Context, request *csipb.CreateVolumeRequest, order order, do func(context.Context, place) (*csipb.Volume, error),
) (*csipb.CreateVolumeResponse, error) {
	end, err := c.turns.Take(order.clusterID + "/" + order.request.Name)
	if err != nil {
		return nil, err
	}
	defer end()
	at, err := c.open(ctx, order.clusterID, request.GetSecrets(), func(v ceph.Volume) bool { return v.Name == order.fsName })
	if errors.Is(err, errNoFilesystem) {
		// This may mend itself: the file system may be on its way.
		return nil, status.Errorf(codes.FailedPrecondition,
			"StorageClass parameter `%s`: %q: %v; create the CephFilesystem or correct the name", csi.ParamFSName, order.fsName, err)
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	volume, err := do(ctx, at)
	if err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.CreateVolumeResponse{Volume: volume}, nil
}

// reserve finds or makes the record of a volume, and tells whether it was there.
func (p place) reserve(ctx context.Context, request journal.Request) (journal.Entry, bool, error) {
	records := p.journal(journal.Volumes)
	if request.Group == "" && p.group != csi.DefaultSubvolumeGroup {
		request.Group = p.group
	}
	entry, found, err := records.Find(ctx, request.Name)
	switch {
	case err != nil:
		return journal.Entry{}, found, err
	case found:
		return entry, true, same(entry, request)
	}
	if err := p.fresh(ctx, request); err != nil {
		return journal.Entry{}, false, err
	}
	entry, err = records.Reserve(ctx, request)
	return entry, false, err
}

// same refuses a record that was made for another content.
func same(entry journal.Entry, request journal.Request) error {
	if entry.BackingSnapshot != request.BackingSnapshot || entry.Copy != nil {
		return different(request)
	}
	return nil
}

func different(request journal.Request) error {
	return status.Errorf(codes.AlreadyExists, "volume %s exists with another content", request.Name)
}

// fresh refuses a volume that is not recorded yet, when it could not be told of or
// would keep a file system that is to go.
func (p place) fresh(ctx context.Context, request journal.Request) error {
	if err := p.handle(p.journal(journal.Volumes).UUID(request)).Valid(); err != nil {
		return call.Invalid("StorageClass parameter `%s`: %v", csi.ParamClusterID, err)
	}
	leaving, err := p.filesystems.Leaving(ctx, p.clusterID, p.volume.Name)
	if err != nil {
		return err
	}
	if leaving {
		return status.Errorf(codes.FailedPrecondition,
			"CephFilesystem %s of cluster %s is being deleted; use a StorageClass for another one", p.volume.Name, p.clusterID)
	}
	return nil
}

// create is safe to repeat after an end at any call. First the journal, then
// the subvolume: a subvolume without a record cannot exist, and a record
// without a subvolume is completed by the next try.
func (p place) create(ctx context.Context, order order) (*csipb.Volume, error) {
	entry, known, err := p.reserve(ctx, order.request)
	if err != nil {
		return nil, err
	}
	at := p.subvolume(entry.Group, entry.Image)
	info, err := p.earlier(ctx, at, known)
	if errors.Is(err, ceph.ErrNotFound) {
		info, err = p.make(ctx, at, order)
		if refused(err) {
			return nil, undone(err, p.journal(journal.Volumes).Forget(ctx, entry))
		}
	}
	if err == nil && info.BytesQuota == 0 {
		// It was made and the quota was not set any more.
		info.BytesQuota, err = ceph.Bytes(order.size), p.SubvolumeResize(ctx, at, order.size)
	}
	if err != nil {
		return nil, err
	}
	if !order.fits(uint64(info.BytesQuota)) {
		return nil, status.Errorf(codes.AlreadyExists, "volume %s exists with %d bytes, not %d", order.request.Name, info.BytesQuota, order.size)
	}
	return p.describe(order, entry, info, nil)
}

// earlier is the subvolume that an earlier try made. Ceph need not be asked where
// there was none.
func (p place) earlier(ctx context.Context, at ceph.Subvolume, tried bool) (ceph.SubvolumeInfo, error) {
	if !tried {
		return ceph.SubvolumeInfo{}, ceph.ErrNotFound
	}
	return p.SubvolumeInfo(ctx, at)
}

// fits tells whether a volume that exists has a size that was asked for.
func (o order) fits(size uint64) bool {
	return size >= o.size && (size == o.size || o.limit > 0 && size <= uint64(o.limit))
}

// refused tells that a volume was not made and cannot be without a change: the
// claim may go before that, so nothing of it is to be left.
func refused(err error) bool {
	if err == nil {
		return false
	}
	switch status.Code(call.Coded(err)) {
	case codes.FailedPrecondition, codes.OutOfRange, codes.InvalidArgument, codes.NotFound:
		return true
	}
	return false
}

// undone is the error of a call whose traces were to be removed. While some are
// left its code lets the caller come again.
func undone(err, left error) error {
	if left == nil {
		return err
	}
	return status.Errorf(codes.Internal, "%v; what was begun is not removed yet: %v", err, left)
}

func (p place) make(ctx context.Context, at ceph.Subvolume, order order) (ceph.SubvolumeInfo, error) {
	if err := p.room(ctx, at, order); err != nil {
		return ceph.SubvolumeInfo{}, err
	}
	if err := p.SubvolumeCreate(ctx, at, ceph.SubvolumeSpec{Size: order.size, Pool: order.pool}); err != nil {
		return ceph.SubvolumeInfo{}, p.explain(err, at, order)
	}
	return p.SubvolumeInfo(ctx, at)
}

// room refuses a volume that its group cannot take.
func (p place) room(ctx context.Context, at ceph.Subvolume, order order) error {
	group, err := p.SubvolumeGroupInfo(ctx, at.Volume, at.Group)
	if err != nil {
		return p.explain(err, at, order)
	}
	return fits(group, at, order.request.Name, order.size)
}

// fits refuses a size above the quota of a group.
func fits(group ceph.SubvolumeGroup, at ceph.Subvolume, volume string, size uint64) error {
	if quota := uint64(group.BytesQuota); quota > 0 && size > quota {
		return status.Errorf(codes.OutOfRange,
			"volume %s asks for %d bytes and subvolume group %s of file system %s has a quota of %d; ask for less or raise the quota",
			volume, size, at.Group, at.Volume, quota)
	}
	return nil
}

// explain says which parameter made Ceph refuse a new subvolume.
func (p place) explain(err error, at ceph.Subvolume, order order) error {
	switch {
	case errors.Is(err, ceph.ErrNotFound):
		return status.Errorf(codes.FailedPrecondition,
			"file system %s of cluster %s has no subvolume group %q yet; a CephFilesystemSubVolumeGroup makes it: %v",
			at.Volume, order.clusterID, at.Group, err)
	case errors.Is(err, ceph.ErrInvalid) && order.pool != "":
		return status.Errorf(codes.FailedPrecondition,
			"StorageClass parameter `%s`: %q is no data pool of file system %s; name one that its CephFilesystem has, or leave it out: %v", csi.ParamPool, order.pool, at.Volume, err)
	}
	return fmt.Errorf("make subvolume of volume %s: %w", order.request.Name, err)
}

// describe is what the caller hears of a volume that is there.
func (p place) describe(order order, entry journal.Entry, info ceph.SubvolumeInfo, more map[string]string) (*csipb.Volume, error) {
	id := p.handle(entry.UUID)
	if err := id.Valid(); err != nil {
		return nil, call.Invalid("StorageClass parameter `%s`: %v", csi.ParamClusterID, err)
	}
	attributes := maps.Clone(order.attributes)
	attributes[csi.AttributeSubvolumeName] = entry.Image
	attributes[csi.AttributeSubvolumePath] = info.Path
	maps.Copy(attributes, more)
	return &csipb.Volume{
		VolumeId: id.String(), CapacityBytes: int64(info.BytesQuota), VolumeContext: attributes, ContentSource: order.source,
	}, nil
}
