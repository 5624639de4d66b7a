package link

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	dialTimeout = 5 * time.Second
	readTimeout = 5 * time.Second
	// retryFirst and retryMost are the times between two attempts to connect.
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
	// failuresToRedial is after how many unanswered reads a connection is
	// thrown away: its mons may all have moved.
	failuresToRedial = 3
)

// link is the connection to one cluster.
type link struct {
	name   types.NamespacedName
	owner  *Links
	cancel context.CancelFunc

	mu     sync.Mutex
	target Target
	conn   ceph.Conn
	err    error
	digest string
}

// retarget takes a new list of mons for the next dial. It is false when target
// needs another link.
func (k *link) retarget(target Target) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.target.same(target) {
		return false
	}
	k.target = target
	return true
}

func (k *link) bootstraps() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.target.Bootstrap
}

func (k *link) session() (ceph.Client, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return ceph.Client{}, k.err
	}
	return ceph.Client{Conn: k.conn}, nil
}

// run dials, watches, and dials again until ctx ends.
func (k *link) run(ctx context.Context) {
	pause := retryFirst
	for ctx.Err() == nil {
		conn, err := k.dial(ctx)
		if err != nil {
			k.owner.Metrics.looked(k.name, err)
			k.record(nil, "", err)
			k.sleep(ctx, pause)
			pause = min(2*pause, retryMost)
			continue
		}
		pause = retryFirst
		k.watch(ctx, conn)
		conn.Close()
	}
}

func (k *link) dial(ctx context.Context) (ceph.Conn, error) {
	k.mu.Lock()
	target := k.target
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return k.owner.Dialer.Dial(ctx, target.At, target.Key)
}

// watch reads the status until ctx ends or nobody answers any more.
func (k *link) watch(ctx context.Context, conn ceph.Conn) {
	for failures := 0; ctx.Err() == nil; {
		status, err := read(ctx, conn)
		if ctx.Err() != nil {
			break
		}
		k.owner.Metrics.looked(k.name, err)
		if err == nil {
			failures = 0
			k.record(conn, Digest(status), nil)
		} else {
			failures++
			k.record(conn, "", err)
		}
		if failures >= failuresToRedial {
			break
		}
		k.sleep(ctx, k.owner.Interval)
	}
	k.record(nil, "", ErrNotConnected)
}

func read(ctx context.Context, conn ceph.Conn) (ceph.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return ceph.Client{Conn: conn}.Status(ctx)
}

// record keeps what was seen and tells the subscribers if it is news.
func (k *link) record(conn ceph.Conn, digest string, err error) {
	k.mu.Lock()
	news := words(k.err) != words(err) || err == nil && k.digest != digest
	k.conn, k.err = conn, err
	if err == nil {
		k.digest = digest
	}
	k.mu.Unlock()
	if news {
		k.owner.notify(k.name)
	}
}

func (k *link) sleep(ctx context.Context, pause time.Duration) {
	timer := k.owner.Clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
