package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// NodeGetCapabilities lists what this service does.
func (*Server) NodeGetCapabilities(
	context.Context, *csipb.NodeGetCapabilitiesRequest,
) (*csipb.NodeGetCapabilitiesResponse, error) {
	return call.Capabilities(csipb.NodeServiceCapability_RPC_EXPAND_VOLUME), nil
}

// NodeExpandVolume makes the device of a staged volume as large as its image, and then the
// file system as large as the device. The image is what the controller made it: the size
// that is asked for changes nothing, and the answer says what there is.
func (s *Server) NodeExpandVolume(
	ctx context.Context, request *csipb.NodeExpandVolumeRequest,
) (*csipb.NodeExpandVolumeResponse, error) {
	handle, path := request.GetVolumeId(), request.GetVolumePath()
	if err := call.Required("volume_id", handle, "volume_path", path); err != nil {
		return nil, err
	}
	unlock, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", handle, path)
	}
	if err != nil {
		return nil, call.Coded(fmt.Errorf("look at volume: %w", err))
	}
	record, err := s.attached(handle)
	if err != nil {
		return nil, call.Coded(err)
	}
	if !s.Attacher.Serves(record) {
		return nil, status.Errorf(codes.FailedPrecondition,
			"volume %s is not attached any more: %s does not serve it; restart the pods that use it", handle, record.Device)
	}
	raw := request.GetVolumeCapability().GetBlock() != nil || info.Mode()&fs.ModeDevice != 0
	size, err := s.expand(ctx, record, request.GetSecrets())
	if err == nil && !raw && !record.ReadOnly {
		err = s.growMounted(ctx, record)
	}
	if err != nil {
		return nil, call.Coded(fmt.Errorf("expand volume %s: %w", handle, err))
	}
	logr.FromContextOrDiscard(ctx).Info("volume expanded", "volume", handle, "device", record.Device, "bytes", size)
	return &csipb.NodeExpandVolumeResponse{CapacityBytes: int64(size)}, nil
}

// expand shows the whole image at the device and returns its size. A reader sees it when the
// volume is staged next.
func (s *Server) expand(ctx context.Context, record attach.Attachment, secrets map[string]string) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, journal.Lease/2)
	defer cancel()
	var size uint64
	err := s.withPool(ctx, record, secrets, func(pool storage.Pool) error {
		return journal.Journal{Omaps: pool}.Locked(ctx, record.Entry, func(journal.Entry) error {
			image, err := pool.Image(ctx, record.Image)
			size = image.Size
			if err != nil || record.ReadOnly {
				return err
			}
			return s.Attacher.Grow(ctx, record, size)
		})
	})
	return size, err
}

// growMounted grows the file system of a device wherever it is mounted.
func (s *Server) growMounted(ctx context.Context, record attach.Attachment) error {
	mounted, err := s.Mounter.List()
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	at := slices.IndexFunc(mounted, func(m mount.MountPoint) bool { return m.Device == record.Device })
	if at < 0 {
		return status.Errorf(codes.FailedPrecondition, "%s is not mounted", record.Device)
	}
	return s.Formats.Grow(ctx, record.Device, mounted[at].Path, mounted[at].Type)
}
