//go:build librados

package librados

import (
	"context"
	"fmt"
	"sync"

	"github.com/ceph/go-ceph/rados"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// line is one librados handle with the rules for calling it.
type line struct {
	handle  *rados.Conn
	slots   chan struct{}
	closed  chan struct{}
	observe func(ceph.Command) func(error)

	mu      sync.Mutex
	closing bool
	calls   int
}

func newLine(handle *rados.Conn, dialer Dialer) *line {
	return &line{
		handle:  handle,
		slots:   make(chan struct{}, orDefault(dialer.InFlight, DefaultInFlight)),
		closed:  make(chan struct{}),
		observe: dialer.Observe,
	}
}

type transport func(body []byte) ([]byte, string, error)

func (l *line) send(ctx context.Context, cmd ceph.Command, carry transport) (reply ceph.Reply, err error) {
	body, err := cmd.Encode()
	if err != nil {
		return ceph.Reply{}, err
	}
	if l.observe != nil {
		ended := l.observe(cmd)
		defer func() { ended(err) }()
	}
	answer := make(chan ceph.Reply, 1)
	err = l.Do(ctx, cmd.Prefix, func(*rados.Conn) error {
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
func (l *line) Do(ctx context.Context, what string, work func(*rados.Conn) error) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ceph.Interrupted(ctx, what)
	case <-l.closed:
		return errClosed(what)
	}
	if !l.enter() {
		<-l.slots
		return errClosed(what)
	}
	done := make(chan error, 1)
	go func() {
		defer l.leave()
		done <- work(l.handle)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ceph.Interrupted(ctx, what)
	case <-l.closed:
		return errClosed(what)
	}
}

// close fails waiting calls at once; the handle goes when the last call that is
// still inside librados has returned.
func (l *line) close() {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return
	}
	l.closing = true
	close(l.closed)
	last := l.calls == 0
	l.mu.Unlock()
	if last {
		l.handle.Shutdown()
	}
}

func (l *line) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	l.calls++
	return true
}

func (l *line) leave() {
	<-l.slots
	l.mu.Lock()
	l.calls--
	last := l.closing && l.calls == 0
	l.mu.Unlock()
	if last {
		l.handle.Shutdown()
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
