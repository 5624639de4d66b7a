package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
)

// NodeGetVolumeStats tells how full a published volume is and whether its device
// still serves.
func (s *Server) NodeGetVolumeStats(
	_ context.Context, request *csipb.NodeGetVolumeStatsRequest,
) (*csipb.NodeGetVolumeStatsResponse, error) {
	handle, path := request.GetVolumeId(), request.GetVolumePath()
	if err := call.Required("volume_id", handle, "volume_path", path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", handle, path)
	}
	if err != nil && mount.IsCorruptedMnt(err) {
		return &csipb.NodeGetVolumeStatsResponse{VolumeCondition: abnormal(fmt.Sprintf("mount does not answer: %v", err))}, nil
	}
	if err != nil {
		return nil, call.Coded(fmt.Errorf("look at volume: %w", err))
	}
	record, err := s.attached(handle)
	if err != nil {
		return nil, call.Coded(err)
	}
	response := &csipb.NodeGetVolumeStatsResponse{
		VolumeCondition: &csipb.VolumeCondition{Message: "device serves"},
	}
	if !s.Attacher.Serves(record) {
		response.VolumeCondition = abnormal("device " + record.Device + " does not serve its image any more; restart the pods that use the volume")
	}
	response.Usage, err = use(path, info)
	return response, call.Coded(err)
}

// attached returns the record of a volume, codes.NotFound if there is none.
func (s *Server) attached(handle string) (attach.Attachment, error) {
	record, err := s.Attacher.Find(handle)
	if errors.Is(err, fs.ErrNotExist) {
		return attach.Attachment{}, status.Errorf(codes.NotFound, "volume %s is not on this node", handle)
	}
	return record, err
}

func abnormal(message string) *csipb.VolumeCondition {
	return &csipb.VolumeCondition{Abnormal: true, Message: message}
}

func use(path string, info fs.FileInfo) ([]*csipb.VolumeUsage, error) {
	if info.Mode()&fs.ModeDevice != 0 {
		device, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open volume: %w", err)
		}
		defer device.Close()
		size, err := filesystem.Size(device)
		if err != nil {
			return nil, err
		}
		return []*csipb.VolumeUsage{{Total: size, Unit: csipb.VolumeUsage_BYTES}}, nil
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return nil, fmt.Errorf("measure volume: %w", err)
	}
	block := stat.Bsize
	return []*csipb.VolumeUsage{
		{
			Unit: csipb.VolumeUsage_BYTES, Total: int64(stat.Blocks) * block, Available: int64(stat.Bavail) * block,
			Used: int64(stat.Blocks-stat.Bfree) * block,
		},
		{
			Unit: csipb.VolumeUsage_INODES, Total: int64(stat.Files), Available: int64(stat.Ffree), Used: int64(stat.Files - stat.Ffree),
		},
	}, nil
}
