//go:build librados

package librados

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/ceph/go-ceph/rados"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Conn is one librados connection. It follows the monmap and the osdmap by
// itself and reconnects to other mons as they come and go.
type Conn struct {
	handle *rados.Conn
	slots  chan struct{}
	closed chan struct{}

	mu      sync.Mutex
	closing bool
	calls   int
}

var _ ceph.DaemonConn = (*Conn)(nil)

func newConn(handle *rados.Conn, inFlight int) *Conn {
	return &Conn{
		handle: handle,
		slots:  make(chan struct{}, inFlight),
		closed: make(chan struct{}),
	}
}

// Mon sends the command to a mon in quorum.
func (c *Conn) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return c.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return c.handle.MonCommandWithInputBuffer(body, cmd.Input)
	})
}

// Mgr sends the command to the active mgr. Without an active mgr it fails at
// once: librados would keep the command until there is one, however late.
func (c *Conn) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	if err := c.mgrAvailable(ctx); err != nil {
		return ceph.Reply{}, fmt.Errorf("%s: %w", cmd.Prefix, err)
	}
	return c.send(ctx, cmd, func(body []byte) ([]byte, string, error) {
		return c.handle.MgrCommandWithInputBuffer([][]byte{body}, cmd.Input)
	})
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

type transport func(body []byte) ([]byte, string, error)

func (c *Conn) send(ctx context.Context, cmd ceph.Command, carry transport) (ceph.Reply, error) {
	body, err := cmd.Encode()
	if err != nil {
		return ceph.Reply{}, err
	}
	var reply ceph.Reply
	answer := make(chan ceph.Reply, 1)
	err = c.Do(ctx, cmd.Prefix, func(*rados.Conn) error {
		out, status, err := carry(body)
		answer <- ceph.Reply{Body: out, Status: status}
		return failure(cmd.Prefix, status, err)
	})
	select {
	case reply = <-answer:
	default:
	}
	return reply, err
}

// Do runs work that blocks in librados under this connection's rules: it
// waits for a free slot, returns when ctx ends even if work does not, and
// keeps the handle alive until work returns. What names the work in errors.
// The handle must not be used after work has returned.
func (c *Conn) Do(ctx context.Context, what string, work func(*rados.Conn) error) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ceph.Interrupted(ctx, what)
	case <-c.closed:
		return errClosed(what)
	}
	if !c.enter() {
		<-c.slots
		return errClosed(what)
	}
	done := make(chan error, 1)
	go func() {
		defer c.leave()
		done <- work(c.handle)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ceph.Interrupted(ctx, what)
	case <-c.closed:
		return errClosed(what)
	}
}

// Close ends the connection. Waiting calls fail at once; the handle goes when
// the last call that is still inside librados has returned.
func (c *Conn) Close() {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.closing = true
	close(c.closed)
	last := c.calls == 0
	c.mu.Unlock()
	if last {
		c.handle.Shutdown()
	}
}

func (c *Conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.calls++
	return true
}

func (c *Conn) leave() {
	<-c.slots
	c.mu.Lock()
	c.calls--
	last := c.closing && c.calls == 0
	c.mu.Unlock()
	if last {
		c.handle.Shutdown()
	}
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, ceph.DefaultTimeout)
}

func errClosed(what string) error {
	return fmt.Errorf("%s: %w: connection is closed", what, ceph.ErrUnreachable)
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
