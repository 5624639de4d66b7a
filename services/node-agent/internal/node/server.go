package node

import (
	"context"
	"sync"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Clusters knows the CephClusters by the clusterID of a volume.
type Clusters interface {
	// Connection returns how to reach the cluster.
	Connection(ctx context.Context, clusterID string) (api.Connection, error)
	// NodeKey returns the cephx identity of nodes for the cluster. It is asked
	// only where a request carries no Secret.
	NodeKey(ctx context.Context, clusterID string) (keyring.Key, error)
}

// Attacher makes block devices of images.
type Attacher interface {
	Attach(ctx context.Context, volume attach.Volume, choice attach.Choice) (attach.Attachment, error)
	Detach(ctx context.Context, volumeID string) error
	Find(volumeID string) (attach.Attachment, error)
	Serves(record attach.Attachment) bool
}

// Formatter reads and makes file systems.
type Formatter interface {
	Look(device string) (filesystem.Contents, error)
	Format(ctx context.Context, device, kind, options string) error
}

// Server is the node service.
type Server struct {
	csipb.UnimplementedNodeServer
	// Node is the name of this Kubernetes node.
	Node     string
	Clusters Clusters
	Dialer   storage.Dialer
	Attacher Attacher
	Formats  Formatter
	Mounter  mount.Interface

	turns serve.Turns
	keys  sync.Map
}

// NodeGetInfo returns the name of the node.
func (s *Server) NodeGetInfo(context.Context, *csipb.NodeGetInfoRequest) (*csipb.NodeGetInfoResponse, error) {
	return &csipb.NodeGetInfoResponse{NodeId: s.Node}, nil
}

// NodeGetCapabilities lists what this service does.
func (s *Server) NodeGetCapabilities(
	context.Context, *csipb.NodeGetCapabilitiesRequest,
) (*csipb.NodeGetCapabilitiesResponse, error) {
	response := &csipb.NodeGetCapabilitiesResponse{}
	for _, kind := range []csipb.NodeServiceCapability_RPC_Type{
		csipb.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csipb.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csipb.NodeServiceCapability_RPC_VOLUME_CONDITION,
		csipb.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		response.Capabilities = append(response.Capabilities, &csipb.NodeServiceCapability{
			Type: &csipb.NodeServiceCapability_Rpc{Rpc: &csipb.NodeServiceCapability_RPC{Type: kind}},
		})
	}
	return response, nil
}
