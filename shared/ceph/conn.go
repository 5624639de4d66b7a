package ceph

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// DefaultTimeout bounds a call whose context carries no deadline.
const DefaultTimeout = 15 * time.Second

// Command is one Ceph command: its prefix ("osd pool create"), its typed
// arguments, and the bytes that the command line would read from a file (-i).
// Ceph checks argument types, so integers, booleans, floats (Float) and lists
// of strings must be given as such.
type Command struct {
	Prefix string
	Args   map[string]any
	Input  []byte
}

// Encode returns the command as the JSON object that Ceph expects, asking for
// a JSON reply unless Args names another format.
func (c Command) Encode() ([]byte, error) {
	object := make(map[string]any, len(c.Args)+2)
	object["format"] = "json"
	for name, value := range c.Args {
		object[name] = value
	}
	object["prefix"] = c.Prefix
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode command %q: %w", c.Prefix, err)
	}
	return body, nil
}

// Reply is what Ceph answered: the body, usually JSON, and the status line
// that the command line prints to stderr.
type Reply struct {
	Body   []byte
	Status string
}

// Conn carries one command to Ceph and brings back its reply. It is safe for
// concurrent use. Implementations must honour ctx even if the transport
// cannot; a call that ctx ends may still have been executed by Ceph.
type Conn interface {
	// Mon sends the command to a mon in quorum.
	Mon(ctx context.Context, cmd Command) (Reply, error)
	// Mgr sends the command to the active mgr.
	Mgr(ctx context.Context, cmd Command) (Reply, error)
	// Close ends the connection. Calls in flight and later calls fail with
	// ErrUnreachable. Close may be called more than once.
	Close()
}

// DaemonConn is a Conn that also reaches single daemons ("tell").
type DaemonConn interface {
	Conn
	// OSD sends the command to the OSD with this id.
	OSD(ctx context.Context, id int, cmd Command) (Reply, error)
	// PG sends the command to the primary OSD of the placement group.
	PG(ctx context.Context, pgid string, cmd Command) (Reply, error)
}

// Dialer opens a connection to the cluster that a CephCluster describes, as
// the cephx user of the key. The connection follows changes of the monmap by
// itself. Dial needs only one of the mons in at.MonHost to answer.
type Dialer interface {
	Dial(ctx context.Context, at api.Connection, key keyring.Key) (Conn, error)
}

// Float is a number that Ceph reads as floating point: it keeps its decimal
// point in JSON, since Ceph refuses 1 where it expects 1.0.
type Float float64

// MarshalJSON writes the number with a decimal point or an exponent.
func (f Float) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(float64(f))
	if err != nil {
		return nil, fmt.Errorf("encode float: %w", err)
	}
	for _, b := range body {
		if b == '.' || b == 'e' {
			return body, nil
		}
	}
	return append(body, '.', '0'), nil
}
