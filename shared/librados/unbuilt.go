//go:build !librados

package librados

import (
	"context"
	"errors"
	"fmt"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var errNotBuilt = errors.New("this binary was built without librados (build tag: librados)")

// Built tells whether this binary carries librados.
func Built() bool { return false }

// Version is empty without librados.
func Version() string { return "" }

// Conn is a connection that this build cannot make.
type Conn struct{ ceph.DaemonConn }

// Connect refuses: this build has no librados.
func (d Dialer) Connect(context.Context, api.Connection, keyring.Key) (*Conn, error) {
	return nil, fmt.Errorf("connect to Ceph: %w", errNotBuilt)
}
