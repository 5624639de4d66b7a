package share

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/mounts"
)

// statsPatience is how long a file system may take to say how full it is.
const statsPatience = 10 * time.Second

// NodeGetVolumeStats tells how full a published volume is, by its quota, and
// whether its mount still serves.
func (s *Server) NodeGetVolumeStats(
	ctx context.Context, request *csipb.NodeGetVolumeStatsRequest,
) (*csipb.NodeGetVolumeStatsResponse, error) {
	handle, path := request.GetVolumeId(), request.GetVolumePath()
	if err := call.Required("volume_id", handle, "volume_path", path); err != nil {
		return nil, err
	}
	ended, err := s.ended(handle, path)
	if err != nil {
		return nil, call.Coded(err)
	}
	if ended {
		return &csipb.NodeGetVolumeStatsResponse{VolumeCondition: abnormal("the client that served the mount has ended; restart the pods that use the volume")}, nil
	}
	used, err := measure(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", handle, path)
	case err != nil && (mounts.Dead(err) || errors.Is(err, context.DeadlineExceeded)):
		return &csipb.NodeGetVolumeStatsResponse{VolumeCondition: abnormal(fmt.Sprintf("mount does not answer: %v", err))}, nil
	case err != nil:
		return nil, call.Coded(err)
	}
	return &csipb.NodeGetVolumeStatsResponse{Usage: used, VolumeCondition: &csipb.VolumeCondition{Message: "mount serves"}}, nil
}

// ended tells whether the client of a volume is gone for sure.
func (s *Server) ended(handle, path string) (bool, error) {
	made, err := s.Mounters.Find(handle)
	if !errors.Is(err, fs.ErrNotExist) {
		return err == nil && !s.Mounters.Serves(made), err
	}
	layers, err := s.layers(path)
	if err == nil && layers == 0 {
		err = status.Errorf(codes.NotFound, "volume %s is not on this node", handle)
	}
	return false, err
}

func abnormal(message string) *csipb.VolumeCondition {
	return &csipb.VolumeCondition{Abnormal: true, Message: message}
}

// measure asks the file system. A client that has lost its cluster does not
// answer, and the question cannot be taken back, so it goes on in the background when time is up.
func measure(ctx context.Context, path string) ([]*csipb.VolumeUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, statsPatience)
	defer cancel()
	type answer struct {
		stat unix.Statfs_t
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		if _, a.err = os.Stat(path); a.err == nil {
			a.err = unix.Statfs(path, &a.stat)
		}
		answers <- a
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("measure volume: %w", ctx.Err())
	case a := <-answers:
		if a.err != nil {
			return nil, fmt.Errorf("measure volume: %w", a.err)
		}
		block, stat := a.stat.Bsize, a.stat
		return []*csipb.VolumeUsage{
			{
				Unit: csipb.VolumeUsage_BYTES, Total: int64(stat.Blocks) * block, Available: int64(stat.Bavail) * block,
				Used: int64(stat.Blocks-stat.Bfree) * block,
			},
			{Unit: csipb.VolumeUsage_INODES, Used: int64(stat.Files)},
		}, nil
	}
}
