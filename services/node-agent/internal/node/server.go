package node

import (
	"context"

	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// Clusters knows the CephClusters by the clusterID of a volume.
type Clusters interface {
	// Connection returns how to reach the cluster.
	Connection(ctx context.Context, clusterID string) (api.Connection, error)
	// NodeKeys are asked only where a request carries no Secret.
	call.NodeKeys
}

// Attacher makes block devices of images.
type Attacher interface {
	Attach(ctx context.Context, volume attach.Volume, choice attach.Choice) (attach.Attachment, error)
	Detach(ctx context.Context, volumeID string) error
	Find(volumeID string) (attach.Attachment, error)
	Serves(record attach.Attachment) bool
	Grow(ctx context.Context, record attach.Attachment, size uint64) error
}

// Formatter reads, makes and grows file systems.
type Formatter interface {
	Look(device string) (filesystem.Contents, error)
	Format(ctx context.Context, device, kind, options string) error
	Grow(ctx context.Context, device, where, kind string) error
}

// Server is the node service.
type Server struct {
	call.Self
	Clusters Clusters
	Dialer   storage.Dialer
	Attacher Attacher
	Formats  Formatter
	Mounter  mount.Interface

	turns serve.Turns
	keys  call.Keys
}
