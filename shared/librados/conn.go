//go:build librados

package librados

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Conn is a connection to one cluster. It follows the monmap and the osdmap by
// itself and reconnects to other mons as they come and go.
//
// It holds two librados handles, since librados has one timeout for mon and mgr
// commands. Mon commands need it: without it a command waits for quorum however
// late and is executed then. Mgr commands must have none: one that times out
// leaves librados with pointers into a stack frame that is gone, and librados
// writes through them when the mgr answers after all. The handle for the mgr
// is opened by the first mgr command.
type Conn struct {
	*line
	openMgr func(context.Context) (*line, error)

	gate   chan struct{} // guards what follows; a channel, so that waiting ends with a context
	mgr    *line
	closed bool
}

var _ ceph.DaemonConn = (*Conn)(nil)

// Mon sends the command to a mon in quorum.
func (c *Conn) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return c.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return c.handle.MonCommandWithInputBuffer(body, cmd.Input)
	})
}

// Mgr sends the command to the active mgr. Without an active mgr it fails at
// once: librados would keep the command until there is one, however late.
func (c *Conn) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := c.mgrAvailable(ctx); err != nil {
		return ceph.Reply{}, fmt.Errorf("%s: %w", cmd.Prefix, err)
	}
	mgr, err := c.mgrLine(ctx)
	if err != nil {
		return ceph.Reply{}, fmt.Errorf("%s: %w", cmd.Prefix, err)
	}
	return mgr.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return mgr.handle.MgrCommandWithInputBuffer([][]byte{body}, cmd.Input)
	})
}

// mgrLine returns the handle for mgr commands, opened on first use.
func (c *Conn) mgrLine(ctx context.Context) (*line, error) {
	select {
	case c.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, ceph.Interrupted(ctx, "connect")
	}
	defer func() { <-c.gate }()
	if c.closed {
		return nil, errClosed("connect")
	}
	if c.mgr == nil {
		opened, err := c.openMgr(ctx)
		if err != nil {
			return nil, err
		}
		c.mgr = opened
	}
	return c.mgr, nil
}

// Close ends the connection. Waiting calls fail at once; a handle goes when
// the last call that is still inside librados has returned.
func (c *Conn) Close() {
	c.close()
	c.gate <- struct{}{}
	defer func() { <-c.gate }()
	c.closed = true
	if c.mgr != nil {
		c.mgr.close()
	}
}

var errNoMgr = errors.New("no active mgr")

// mgrAvailable asks the mons whether a mgr would answer. A user that may not
// ask is let through.
func (c *Conn) mgrAvailable(ctx context.Context) error {
	reply, err := c.Mon(ctx, ceph.Command{Prefix: "mgr stat"})
	if errors.Is(err, ceph.ErrDenied) {
		return nil
	}
	if err != nil {
		return err
	}
	var stat struct {
		Available bool `json:"available"`
	}
	if err := json.Unmarshal(reply.Body, &stat); err != nil {
		return fmt.Errorf("decode reply of %q: %w", "mgr stat", err)
	}
	if !stat.Available {
		return fmt.Errorf("%w: %w", ceph.ErrUnreachable, errNoMgr)
	}
	return nil
}

// OSD sends the command to one OSD.
func (c *Conn) OSD(ctx context.Context, id int, cmd ceph.Command) (ceph.Reply, error) {
	return c.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return c.handle.OsdCommandWithInputBuffer(id, [][]byte{body}, cmd.Input)
	})
}

// PG sends the command to the primary OSD of a placement group.
func (c *Conn) PG(ctx context.Context, pgid string, cmd ceph.Command) (ceph.Reply, error) {
	return c.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return c.handle.PGCommandWithInputBuffer([]byte(pgid), [][]byte{body}, cmd.Input)
	})
}

// failure turns an error of go-ceph into one of package ceph.
func failure(what, status string, err error) error {
	if err == nil {
		return nil
	}
	var coded interface{ ErrorCode() int }
	if errors.As(err, &coded) {
		return ceph.NewError(what, coded.ErrorCode(), status)
	}
	return fmt.Errorf("%s: %w", what, err)
}
