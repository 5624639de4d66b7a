package call

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// NodeKeys knows the cephx identity that a cluster has for nodes.
type NodeKeys interface {
	NodeKey(ctx context.Context, clusterID string) (keyring.Key, error)
}

// Keys finds out as whom to speak to the cluster of a volume. It remembers in memory only.
// The zero value is ready for use.
type Keys struct {
	mu     sync.Mutex
	staged map[string]keyring.Key
}

// ToStage returns the identity in secrets, and remembers it for the volume, or the one
// that the cluster has for nodes when the StorageClass names no Secret.
func (k *Keys) ToStage(
	ctx context.Context, clusters NodeKeys, clusterID, handle string, secrets map[string]string,
) (keyring.Key, error) {
	if len(secrets) == 0 {
		k.Forget(handle)
		return clusters.NodeKey(ctx, clusterID)
	}
	key, err := csi.Credentials(secrets)
	if err != nil {
		return keyring.Key{}, status.Error(codes.InvalidArgument, err.Error())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.staged == nil {
		k.staged = map[string]keyring.Key{}
	}
	k.staged[handle] = key
	return key, nil
}

// Later returns the identity that the volume was staged with, or the one that the cluster
// has for nodes, for calls that carry no Secret.
func (k *Keys) Later(ctx context.Context, clusters NodeKeys, clusterID, handle string) (keyring.Key, error) {
	k.mu.Lock()
	key, known := k.staged[handle]
	k.mu.Unlock()
	if known {
		return key, nil
	}
	return clusters.NodeKey(ctx, clusterID)
}

// Forget drops the identity of a volume that is no longer on this node.
func (k *Keys) Forget(handle string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.staged, handle)
}
