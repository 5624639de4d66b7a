package share

import (
	"context"
	"errors"
	"fmt"
	"os"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// NodeStageVolume mounts the directory of a volume at the staging path.
func (s *Server) NodeStageVolume(
	ctx context.Context, request *csipb.NodeStageVolumeRequest,
) (*csipb.NodeStageVolumeResponse, error) {
	handle, path := request.GetVolumeId(), request.GetStagingTargetPath()
	if err := call.Required("volume_id", handle, "staging_target_path", path); err != nil {
		return nil, err
	}
	use, err := readCapability(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	clusterID, err := clusterOf(handle, request.GetVolumeContext())
	if err != nil {
		return nil, err
	}
	end, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	if done, err := s.staged(ctx, request, use); done || err != nil {
		return &csipb.NodeStageVolumeResponse{}, call.Coded(err)
	}
	if err := s.stage(ctx, request, use, clusterID); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.NodeStageVolumeResponse{}, nil
}

// staged tells whether the volume is staged already and serves. What is left of
// a mount that does not serve is removed.
func (s *Server) staged(ctx context.Context, request *csipb.NodeStageVolumeRequest, use usage) (bool, error) {
	handle, path := request.GetVolumeId(), request.GetStagingTargetPath()
	made, err := s.Mounters.Find(handle)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	serves, err := s.mounts().Serves(path)
	if err != nil {
		return false, err
	}
	if !serves || !s.Mounters.Serves(made) {
		return false, s.clear(ctx, made.Volume)
	}
	if made.ReadOnly && !use.reads(shown(made, request.GetVolumeContext())) {
		return false, status.Errorf(codes.AlreadyExists, "volume %s is staged read-only", handle)
	}
	return true, nil
}

// clear unmounts a volume, waits until all is written, and forgets it.
func (s *Server) clear(ctx context.Context, volume fsmount.Volume) error {
	if err := s.unmount(ctx, volume); err != nil {
		return err
	}
	return s.Mounters.End(ctx, volume.ID)
}

// unmount unmounts a volume, which stays recorded, and waits until all is written.
func (s *Server) unmount(ctx context.Context, volume fsmount.Volume) error {
	if err := s.mounts().Clear(volume.Where); err != nil {
		return fmt.Errorf("unmount volume: %w", err)
	}
	return s.Mounters.Await(ctx, volume.ID)
}

func (s *Server) stage(ctx context.Context, request *csipb.NodeStageVolumeRequest, use usage, clusterID string) error {
	key, err := s.keys.ToStage(ctx, s.Clusters, clusterID, request.GetVolumeId(), request.GetSecrets())
	if err != nil {
		return err
	}
	access, err := s.access(ctx, clusterID, key)
	if err != nil {
		return err
	}
	attributes := request.GetVolumeContext()
	kernel, fuse, err := s.options(ctx, clusterID, use, attributes)
	if err != nil {
		return err
	}
	at, err := s.directory(ctx, access, request.GetVolumeId(), attributes)
	if err != nil {
		return err
	}
	volume := fsmount.Volume{
		ID: request.GetVolumeId(), Where: request.GetStagingTargetPath(), FSName: at.fsName, Path: at.path, Root: at.root,
		Flags: use.flags, ReadOnly: use.reads(at.root),
		KernelOptions: kernel, FUSEOptions: fuse,
	}
	if err := s.mount(ctx, access, volume, attributes[csi.ParamMounter]); err != nil {
		return errors.Join(err, s.clear(context.WithoutCancel(ctx), volume))
	}
	return nil
}

// options are those of the cluster, before those of the volume, which so have the
// last word.
func (s *Server) options(ctx context.Context, clusterID string, use usage, attributes map[string]string) (kernel, fuse string, err error) {
	cluster, err := s.Clusters.Cluster(ctx, clusterID)
	if err != nil {
		return "", "", err
	}
	of := cluster.Spec.CSI.CephFS
	if err := csi.CheckMountOptions(of.KernelMountOptions, of.FuseMountOptions); err != nil {
		return "", "", status.Errorf(codes.FailedPrecondition, "`spec.csi.cephfs` of CephCluster %s/%s: %v", cluster.Namespace, cluster.Name, err)
	}
	ownKernel, ownFUSE := attributes[csi.ParamKernelMountOptions], attributes[csi.ParamFUSEMountOptions]
	if err := csi.CheckMountOptions(append([]string{ownKernel, ownFUSE}, use.flags...)...); err != nil {
		return "", "", status.Errorf(codes.InvalidArgument, "options of volume or StorageClass: %v", err)
	}
	return csi.MountOptions(of.KernelMountOptions, ownKernel), csi.MountOptions(of.FuseMountOptions, ownFUSE), nil
}

// mount leaves it to the caller to remove what a failure left behind.
func (s *Server) mount(ctx context.Context, access fsmount.Access, volume fsmount.Volume, wanted string) error {
	if err := makeDir(volume.Where); err != nil {
		return err
	}
	made, err := s.Mounters.Mount(ctx, access, volume, wanted)
	if err != nil {
		return err
	}
	logr.FromContextOrDiscard(ctx).Info("volume staged", "volume", made.ID, "filesystem", made.FSName, "path", made.Path, "mounter", made.Mounter)
	return nil
}

// access says how to reach a cluster as an identity.
func (s *Server) access(ctx context.Context, clusterID string, key keyring.Key) (fsmount.Access, error) {
	connection, err := s.Clusters.Connection(ctx, clusterID)
	return fsmount.Access{Connection: connection, Key: key}, err
}

// NodeUnstageVolume unmounts the volume and waits until all is written.
func (s *Server) NodeUnstageVolume(
	ctx context.Context, request *csipb.NodeUnstageVolumeRequest,
) (*csipb.NodeUnstageVolumeResponse, error) {
	handle, path := request.GetVolumeId(), request.GetStagingTargetPath()
	if err := call.Required("volume_id", handle, "staging_target_path", path); err != nil {
		return nil, err
	}
	end, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := s.clear(ctx, fsmount.Volume{ID: handle, Where: path}); err != nil {
		return nil, call.Coded(err)
	}
	s.keys.Forget(handle)
	logr.FromContextOrDiscard(ctx).Info("volume unstaged", "volume", handle)
	return &csipb.NodeUnstageVolumeResponse{}, nil
}
