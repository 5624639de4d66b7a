package share

import (
	"context"
	"fmt"
	"os"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/mounts"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// Clusters knows the CephClusters by the clusterID of a volume.
type Clusters interface {
	// Connection returns how to reach the cluster.
	Connection(ctx context.Context, clusterID string) (api.Connection, error)
	// Cluster says with which options its volumes are mounted.
	Cluster(ctx context.Context, clusterID string) (*api.CephCluster, error)
	// NodeKeys are asked only where a request carries no Secret.
	call.NodeKeys
	// SubvolumeGroup is where volumes are that are recorded without a group.
	SubvolumeGroup(ctx context.Context, clusterID string) (string, error)
}

// Mounters mounts CephFS and remembers what is mounted.
type Mounters interface {
	Mount(ctx context.Context, access fsmount.Access, volume fsmount.Volume, wanted string) (fsmount.Mount, error)
	Await(ctx context.Context, volumeID string) error
	End(ctx context.Context, volumeID string) error
	Find(volumeID string) (fsmount.Mount, error)
	Serves(made fsmount.Mount) bool
}

// Server is the node service.
type Server struct {
	call.Self
	Clusters Clusters
	Dialer   storage.Dialer
	Mounters Mounters
	Mounter  mount.Interface

	turns serve.Turns
	keys  call.Keys
}

func (s *Server) mounts() mounts.Mounts { return mounts.Mounts{Interface: s.Mounter} }

// usage is how a volume is to be used on this node.
type usage struct {
	flags    []string
	readOnly bool
	// single volumes have one pod at most.
	single bool
}

func readCapability(capability *csipb.VolumeCapability) (usage, error) {
	switch {
	case capability == nil:
		return usage{}, status.Error(codes.InvalidArgument, "volume_capability is missing")
	case capability.GetBlock() != nil:
		return usage{}, status.Error(codes.InvalidArgument, "CephFS has no block volumes")
	case capability.GetMount() == nil:
		return usage{}, status.Error(codes.InvalidArgument, "volume_capability has no access type")
	}
	use := usage{flags: capability.GetMount().GetMountFlags()}
	switch mode := capability.GetAccessMode().GetMode(); mode {
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
		csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
		use.readOnly = true
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER:
		use.single = true
	case csipb.VolumeCapability_AccessMode_UNKNOWN:
		return usage{}, status.Error(codes.InvalidArgument, fmt.Sprintf("access mode %s is not supported", mode))
	}
	return use, nil
}

// reads tells whether nothing is to be written to a volume, of which root is the snapshot
// that it shows, if it shows one.
func (u usage) reads(root string) bool {
	return u.readOnly || slices.Contains(u.flags, "ro") || root != ""
}

// clusterOf returns the clusterID of a volume.
func clusterOf(handle string, attributes map[string]string) (string, error) {
	if attributes[csi.AttributeStaticVolume] == "true" {
		if attributes[csi.ParamClusterID] == "" {
			return "", status.Errorf(codes.InvalidArgument, "static volume %s must have the attribute %s", handle, csi.ParamClusterID)
		}
		return attributes[csi.ParamClusterID], nil
	}
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return "", status.Error(codes.InvalidArgument, err.Error())
	}
	return id.ClusterID, nil
}

func makeDir(path string) error {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	return nil
}
