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

// Keys finds out as whom to speak to a cluster. The zero value is ready for use.
type Keys struct{ staged sync.Map }

// ToStage returns the identity in secrets, or the one that the cluster has for nodes
// when the StorageClass names no Secret.
func (k *Keys) ToStage(ctx context.Context, clusters NodeKeys, clusterID string, secrets map[string]string) (keyring.Key, error) {
	if len(secrets) == 0 {
		return clusters.NodeKey(ctx, clusterID)
	}
	key, err := csi.Credentials(secrets)
	if err != nil {
		return keyring.Key{}, status.Error(codes.InvalidArgument, err.Error())
	}
	k.staged.Store(clusterID, key)
	return key, nil
}

// Later returns the identity that a volume of the cluster was staged with, or the
// one that the cluster has for nodes, for calls that carry no Secret.
func (k *Keys) Later(ctx context.Context, clusters NodeKeys, clusterID string) (keyring.Key, error) {
	if known, ok := k.staged.Load(clusterID); ok {
		if key, ok := known.(keyring.Key); ok {
			return key, nil
		}
	}
	return clusters.NodeKey(ctx, clusterID)
}
