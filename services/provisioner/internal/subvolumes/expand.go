package subvolumes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// ControllerExpandVolume raises the quota of a volume; nodes see it at once. A
// volume that is large enough stays as it is.
func (c *Controller) ControllerExpandVolume(
	ctx context.Context, request *csipb.ControllerExpandVolumeRequest,
) (*csipb.ControllerExpandVolumeResponse, error) {
	size, err := call.Expansion(request, unit)
	if err != nil {
		return nil, err
	}
	handle := request.GetVolumeId()
	end, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	at, entry, err := c.find(ctx, journal.Volumes, handle, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	size, err = at.expand(ctx, entry, size)
	if err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.ControllerExpandVolumeResponse{CapacityBytes: int64(size)}, nil
}

// expand never makes a volume smaller.
func (p place) expand(ctx context.Context, entry journal.Entry, size uint64) (uint64, error) {
	if entry.BackingSnapshot != "" {
		return 0, call.Invalid("volume %s shows a snapshot and cannot be expanded", entry.Request)
	}
	at := p.subvolume(entry.Group, entry.Image)
	info, err := p.SubvolumeInfo(ctx, at)
	if err != nil {
		return 0, fmt.Errorf("expand volume %s: %w", entry.Request, err)
	}
	if uint64(info.BytesQuota) >= size {
		return uint64(info.BytesQuota), nil
	}
	group, err := p.SubvolumeGroupInfo(ctx, at.Volume, at.Group)
	if err != nil {
		return 0, fmt.Errorf("expand volume %s: %w", entry.Request, err)
	}
	if err := fits(group, at, entry.Request, size); err != nil {
		return 0, err
	}
	if err := p.SubvolumeResize(ctx, at, size); err != nil {
		return 0, fmt.Errorf("expand volume %s: %w", entry.Request, err)
	}
	return size, nil
}

// GetCapacity returns what the data pool of a file system can still take;
// without parameters that name one, it is 0.
func (c *Controller) GetCapacity(
	ctx context.Context, request *csipb.GetCapacityRequest,
) (*csipb.GetCapacityResponse, error) {
	parameters := request.GetParameters()
	if len(parameters) == 0 {
		return &csipb.GetCapacityResponse{}, nil
	}
	clusterID, fsName := parameters[csi.ParamClusterID], parameters[csi.ParamFSName]
	if clusterID == "" || fsName == "" {
		return nil, call.Invalid("parameters `%s` and `%s` are needed to find the capacity", csi.ParamClusterID, csi.ParamFSName)
	}
	at, err := c.open(ctx, clusterID, nil, func(v ceph.Volume) bool { return v.Name == fsName })
	if errors.Is(err, errNoFilesystem) {
		return nil, call.Invalid("parameter `%s`: %q: %v", csi.ParamFSName, fsName, err)
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	return at.capacity(ctx, parameters[csi.ParamPool])
}

func (p place) capacity(ctx context.Context, name string) (*csipb.GetCapacityResponse, error) {
	usage, err := p.DF(ctx)
	if err != nil {
		return nil, call.Coded(err)
	}
	for _, pool := range usage.Pools {
		first := name == "" && len(p.volume.DataPools) > 0 && int64(pool.ID) == p.volume.DataPools[0]
		if first || pool.Name == name && slices.Contains(p.volume.DataPools, int64(pool.ID)) {
			return &csipb.GetCapacityResponse{AvailableCapacity: int64(pool.Stats.MaxAvail)}, nil
		}
	}
	return nil, call.Invalid("parameter `%s`: file system %s has no data pool %q", csi.ParamPool, p.volume.Name, name)
}
