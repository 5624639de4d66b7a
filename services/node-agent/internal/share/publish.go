package share

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// NodePublishVolume shows a staged volume to a pod.
func (s *Server) NodePublishVolume(
	ctx context.Context, request *csipb.NodePublishVolumeRequest,
) (*csipb.NodePublishVolumeResponse, error) {
	handle, where, staging := request.GetVolumeId(), request.GetTargetPath(), request.GetStagingTargetPath()
	if err := call.Required("volume_id", handle, "target_path", where, "staging_target_path", staging); err != nil {
		return nil, err
	}
	use, err := readCapability(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	end, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	source, err := s.source(ctx, handle, staging, request.GetVolumeContext())
	if err != nil {
		return nil, call.Coded(err)
	}
	if use.single {
		if err := s.mounts().OnlyAt(source, where); err != nil {
			return nil, call.Coded(err)
		}
	}
	if err := s.bind(source, where, use, request.GetReadonly()); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.NodePublishVolumeResponse{}, nil
}

// source is the directory that pods get of a staged volume.
func (s *Server) source(ctx context.Context, handle, staging string, attributes map[string]string) (string, error) {
	made, err := s.Mounters.Find(handle)
	if errors.Is(err, os.ErrNotExist) {
		return staging, s.adopt(handle, staging, attributes)
	}
	if err != nil {
		return "", err
	}
	if err := s.revive(ctx, made, staging, attributes); err != nil {
		return "", err
	}
	return filepath.Join(staging, filepath.Clean("/"+shown(made, attributes))), nil
}

// shown is the directory below the staging path that pods get: the snapshot of a volume
// that shows one. Records of old have none.
func shown(made fsmount.Mount, attributes map[string]string) string {
	return cmp.Or(made.Root, attributes[csi.AttributeSnapshotRoot])
}

func (s *Server) bind(source, where string, use usage, readOnly bool) error {
	mounted, err := s.mounts().Serves(where)
	if err != nil || mounted {
		return err
	}
	if err := makeDir(where); err != nil {
		return err
	}
	var flags []string
	if readOnly || use.readOnly {
		flags = append(flags, "ro")
	}
	return s.mounts().Bind(source, where, append(flags, bindFlags(use.flags)...)...)
}

// bindFlags leaves out what is meant for the client of CephFS: a bind mount has
// only flags of its own.
func bindFlags(flags []string) []string {
	var kept []string
	for _, flag := range flags {
		switch flag {
		case "ro", "noatime", "nodiratime", "relatime", "strictatime", "nodev", "noexec", "nosuid":
			kept = append(kept, flag)
		}
	}
	return kept
}

// revive makes sure that a staged volume serves. A kubelet stages a volume once, so a
// mount whose ceph-fuse died in between is made anew here; pods that had it already need
// a restart.
func (s *Server) revive(ctx context.Context, made fsmount.Mount, staging string, attributes map[string]string) error {
	if made.Where != staging {
		return notStaged(made.ID, staging)
	}
	serves, err := s.mounts().Serves(staging)
	if err != nil || serves && s.Mounters.Serves(made) {
		return err
	}
	return s.remount(ctx, made, attributes)
}

// remount mounts a staged volume anew. It stays recorded while it is not mounted, as
// nobody stages it again.
func (s *Server) remount(ctx context.Context, made fsmount.Mount, attributes map[string]string) error {
	clusterID, err := clusterOf(made.ID, attributes)
	if err != nil {
		return err
	}
	key, err := s.keys.Later(ctx, s.Clusters, clusterID, made.ID)
	if err != nil {
		return err
	}
	access, err := s.access(ctx, clusterID, key)
	if err != nil {
		return err
	}
	logr.FromContextOrDiscard(ctx).Info("volume does not serve; mounting it anew", "volume", made.ID, "mounter", made.Mounter)
	if err := s.unmount(ctx, made.Volume); err != nil {
		return err
	}
	if err := s.mount(ctx, access, made.Volume, made.Mounter); err != nil {
		return errors.Join(err, s.unmount(context.WithoutCancel(ctx), made.Volume))
	}
	return nil
}

// NodeUnpublishVolume takes a volume away from a pod.
func (s *Server) NodeUnpublishVolume(
	_ context.Context, request *csipb.NodeUnpublishVolumeRequest,
) (*csipb.NodeUnpublishVolumeResponse, error) {
	handle, where := request.GetVolumeId(), request.GetTargetPath()
	if err := call.Required("volume_id", handle, "target_path", where); err != nil {
		return nil, err
	}
	end, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := s.mounts().Clear(where); err != nil {
		return nil, call.Coded(fmt.Errorf("unpublish volume: %w", err))
	}
	return &csipb.NodeUnpublishVolumeResponse{}, nil
}
