package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/mounts"
)

// NodePublishVolume shows a staged volume to a pod: a bind mount of its file
// system, or of its device for raw block volumes.
func (s *Server) NodePublishVolume(
	ctx context.Context, request *csipb.NodePublishVolumeRequest,
) (*csipb.NodePublishVolumeResponse, error) {
	handle, where := request.GetVolumeId(), request.GetTargetPath()
	if err := call.Required("volume_id", handle, "target_path", where,
		"staging_target_path", request.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	use, err := readCapability(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	unlock, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	source, err := s.source(handle, request.GetStagingTargetPath(), use)
	if err != nil {
		return nil, call.Coded(err)
	}
	mode := request.GetVolumeCapability().GetAccessMode().GetMode()
	if mode == csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER {
		if err := s.onlyAt(source, where, use); err != nil {
			return nil, call.Coded(err)
		}
	}
	if err := s.bind(source, where, use, request.GetReadonly()); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.NodePublishVolumeResponse{}, nil
}

// source is what to bind: the staged mount or the device.
func (s *Server) source(handle, staging string, use usage) (string, error) {
	record, err := s.Attacher.Find(handle)
	if errors.Is(err, os.ErrNotExist) {
		return "", status.Errorf(codes.FailedPrecondition, "volume %s is not staged on this node", handle)
	}
	if err != nil {
		return "", err
	}
	if use.block {
		// A device that lost its image may be another volume's by now.
		if !s.Attacher.Serves(record) {
			return "", status.Errorf(codes.FailedPrecondition,
				"volume %s is not attached any more: %s does not serve it; stage it again", handle, record.Device)
		}
		return record.Device, nil
	}
	source := stagedMount(staging, handle)
	mounted, err := s.mounted(source)
	if err != nil {
		return "", err
	}
	if !mounted {
		return "", status.Errorf(codes.FailedPrecondition, "volume %s is not mounted at its staging path", handle)
	}
	return source, nil
}

func (s *Server) bind(source, where string, use usage, readOnly bool) error {
	mounted, err := s.mounted(where)
	if err != nil || mounted {
		return err
	}
	if err := makeTarget(where, use); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	var flags []string
	if readOnly || use.readOnly {
		flags = append(flags, "ro")
	}
	if !use.block {
		flags = append(flags, use.flags...)
	}
	return mounts.Mounts{Interface: s.Mounter}.Bind(source, where, flags...)
}

// makeTarget makes a directory for a file system, a file for a device.
func makeTarget(where string, use usage) error {
	if !use.block {
		return os.MkdirAll(where, 0o750)
	}
	if err := os.MkdirAll(filepath.Dir(where), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(where, os.O_CREATE, 0o660)
	if err != nil {
		return err
	}
	return file.Close()
}

// onlyAt refuses when the source is published anywhere else.
func (s *Server) onlyAt(source, where string, use usage) error {
	if !use.block {
		return mounts.Mounts{Interface: s.Mounter}.OnlyAt(source, where)
	}
	refs, err := deviceMounts(source)
	if err != nil {
		return fmt.Errorf("find mounts of %s: %w", source, err)
	}
	return mounts.Only(refs, source, where)
}

// deviceMounts lists the files that the device's node is bound to. Only bind
// mounts of single files of its name are looked at: others may be dead and hang.
func deviceMounts(device string) ([]string, error) {
	var own unix.Stat_t
	if err := unix.Stat(device, &own); err != nil {
		return nil, fmt.Errorf("stat device: %w", err)
	}
	mounts, err := mount.ParseMountInfo("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	var found []string
	for _, m := range mounts {
		if filepath.Base(m.Root) != filepath.Base(device) {
			continue
		}
		var stat unix.Stat_t
		if unix.Stat(m.MountPoint, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFBLK && stat.Rdev == own.Rdev {
			found = append(found, m.MountPoint)
		}
	}
	return found, nil
}

// NodeUnpublishVolume takes a volume away from a pod.
func (s *Server) NodeUnpublishVolume(
	_ context.Context, request *csipb.NodeUnpublishVolumeRequest,
) (*csipb.NodeUnpublishVolumeResponse, error) {
	handle, where := request.GetVolumeId(), request.GetTargetPath()
	if err := call.Required("volume_id", handle, "target_path", where); err != nil {
		return nil, err
	}
	unlock, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := mount.CleanupMountPoint(where, s.Mounter, true); err != nil {
		return nil, call.Coded(fmt.Errorf("unpublish volume: %w", err))
	}
	return &csipb.NodeUnpublishVolumeResponse{}, nil
}
