package node

import (
	"context"
	"errors"
	"fmt"
	"os"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// NodeUnstageVolume unmounts the volume, detaches it, and tells the journal that
// this node let go of it.
func (s *Server) NodeUnstageVolume(
	ctx context.Context, request *csipb.NodeUnstageVolumeRequest,
) (*csipb.NodeUnstageVolumeResponse, error) {
	handle, path := request.GetVolumeId(), request.GetStagingTargetPath()
	if err := call.Required("volume_id", handle, "staging_target_path", path); err != nil {
		return nil, err
	}
	unlock, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := mount.CleanupMountPoint(stagedMount(path, handle), s.Mounter, true); err != nil {
		return nil, call.Coded(fmt.Errorf("unmount volume: %w", err))
	}
	record, err := s.Attacher.Find(handle)
	if errors.Is(err, os.ErrNotExist) {
		s.keys.Forget(handle)
		return &csipb.NodeUnstageVolumeResponse{}, nil
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	if err := s.Attacher.Detach(ctx, handle); err != nil {
		return nil, call.Coded(err)
	}
	log := logr.FromContextOrDiscard(ctx)
	log.Info("volume unstaged", "volume", handle, "image", record.Image, "device", record.Device)
	if err := s.release(ctx, record); err != nil {
		// The volume is detached all the same. Whoever attaches it next finds this
		// node as the holder and has to make sure for himself.
		log.Error(err, "release not recorded", "volume", handle)
	}
	s.keys.Forget(handle)
	return &csipb.NodeUnstageVolumeResponse{}, nil
}

// release removes this node as the holder.
func (s *Server) release(ctx context.Context, record attach.Attachment) error {
	if record.ReadOnly || record.Entry == "" {
		return nil
	}
	return s.withPool(ctx, record, nil, func(pool storage.Pool) error {
		entries := journal.Journal{Omaps: pool}
		entry, err := entries.Entry(ctx, record.Entry)
		if err != nil || entry.Holder == nil || entry.Holder.Node != s.Node {
			return err
		}
		return entries.SetHolder(ctx, record.Entry, nil)
	})
}

// withPool opens the pool of a volume that was attached, as the identity in secrets or, if
// there are none, as who staged it.
func (s *Server) withPool(ctx context.Context, record attach.Attachment, secrets map[string]string, do func(storage.Pool) error) error {
	key, err := s.keys.Later(ctx, s.Clusters, record.ClusterID, record.VolumeID)
	if len(secrets) > 0 {
		key, err = csi.Credentials(secrets)
	}
	if err != nil {
		return err
	}
	connection, err := s.Clusters.Connection(ctx, record.ClusterID)
	if err != nil {
		return err
	}
	cluster, err := s.Dialer.DialStorage(ctx, connection, key)
	if err != nil {
		return err
	}
	defer cluster.Close()
	pool, err := cluster.Pool(ctx, record.Pool, record.Namespace)
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(pool)
}
