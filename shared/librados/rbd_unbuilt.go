//go:build !librados

package librados

import (
	"context"
	"fmt"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var _ storage.Dialer = Dialer{}

// DialStorage refuses: this build has no librados.
func (d Dialer) DialStorage(context.Context, api.Connection, keyring.Key) (storage.Cluster, error) {
	return nil, fmt.Errorf("connect to Ceph: %w", errNotBuilt)
}
