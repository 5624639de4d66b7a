package librados

import (
	"context"
	"errors"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// What a zero field of Dialer stands for.
const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultMonTimeout     = 30 * time.Second
	DefaultOSDTimeout     = 60 * time.Second
	DefaultInFlight       = 64
)

// Dialer opens librados connections. The zero value is ready for use.
type Dialer struct {
	// ConnectTimeout bounds the search for a mon that answers.
	ConnectTimeout time.Duration
	// MonTimeout is when librados gives up a command that no mon answers.
	MonTimeout time.Duration
	// OSDTimeout is when librados gives up an operation that no OSD answers.
	OSDTimeout time.Duration
	// InFlight bounds the calls of one connection that wait for Ceph.
	InFlight int
	// Settings are Ceph configuration options for the connection. They win
	// over this package's own, save rados_mon_op_timeout, which is MonTimeout.
	Settings map[string]string
	// Observe is called before each command is sent, and what it returned when
	// the command has ended. It may be nil.
	Observe func(ceph.Command) func(error)
}

var _ ceph.Dialer = Dialer{}

var (
	errNoMons  = errors.New("no mon addresses")
	errNoKey   = errors.New("no cephx key")
	errNotUser = errors.New("cephx user must start with \"client.\"")
)

// Dial connects to the cluster at at.MonHost as the key's user. Wrong keys are
// ceph.ErrDenied, silent mons ceph.ErrUnreachable. A cluster with another fsid
// than at.FSID is refused; an empty at.FSID accepts any.
func (d Dialer) Dial(ctx context.Context, at api.Connection, key keyring.Key) (ceph.Conn, error) {
	conn, err := d.Connect(ctx, at, key)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}
