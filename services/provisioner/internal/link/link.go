// Package link keeps one connection per cluster and cephx identity, so that a
// volume costs no connection set-up. It opens a new one when the key or the
// cluster changed, and when a call showed that the old one is of no more use: Ceph
// refuses it, or nobody answers. It never retries a call.
package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Connections hands out shared connections. The zero value with a Dialer is
// ready for use.
type Connections struct {
	Dialer storage.Dialer

	mu   sync.Mutex
	open map[identity]*connection
}

// identity is whom a connection speaks to and as whom. A cluster may be known by
// several names: its namespace, and those of its groups of subvolumes.
type identity struct {
	fsid   string
	entity string
}

type connection struct {
	secret string
	ready  chan struct{}
	// raw is what the dialer opened, cluster what callers share.
	raw, cluster storage.Cluster
	err          error
}

// Get returns the connection to a cluster as the key's user. It must not be
// closed by the caller. Concurrent first calls share one dial.
func (c *Connections) Get(ctx context.Context, at api.Connection, key keyring.Key) (storage.Cluster, error) {
	id := identity{at.FSID, key.Entity}
	c.mu.Lock()
	found := c.open[id]
	if found != nil && found.secret == key.Secret {
		c.mu.Unlock()
		return found.await(ctx)
	}
	fresh := &connection{secret: key.Secret, ready: make(chan struct{})}
	if c.open == nil {
		c.open = map[identity]*connection{}
	}
	c.open[id] = fresh
	c.mu.Unlock()
	if found != nil {
		go found.close()
	}
	// Others may wait for this dial, so it must not end with the first caller.
	dialled, cancel := context.WithTimeout(context.WithoutCancel(ctx), ceph.DefaultTimeout)
	go func() {
		defer cancel()
		fresh.raw, fresh.err = c.Dialer.DialStorage(dialled, at, key)
		if fresh.err != nil {
			c.forget(id, fresh)
		} else {
			fresh.cluster = storage.Guard(fresh.raw, func(error) {
				if c.forget(id, fresh) {
					go fresh.close()
				}
			})
		}
		close(fresh.ready)
	}()
	return fresh.await(ctx)
}

// Keep closes the connections to all clusters but these, by their fsids.
func (c *Connections) Keep(fsids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, found := range c.open {
		if !slices.Contains(fsids, id.fsid) {
			delete(c.open, id)
			go found.close()
		}
	}
}

// forget takes a connection out, unless another one has replaced it already.
func (c *Connections) forget(id identity, failed *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[id] != failed {
		return false
	}
	delete(c.open, id)
	return true
}

func (c *connection) await(ctx context.Context) (storage.Cluster, error) {
	select {
	case <-c.ready:
		return c.cluster, c.err
	case <-ctx.Done():
		return nil, ceph.Interrupted(ctx, "connect to Ceph")
	}
}

// grace lets calls end that took the connection before it was replaced.
const grace = 2 * time.Minute

func (c *connection) close() {
	<-c.ready
	if c.err == nil {
		time.AfterFunc(grace, c.raw.Close)
	}
}

// Explain words the errors of a connection for people.
func Explain(err error, entity string) error {
	if errors.Is(err, ceph.ErrDenied) {
		return fmt.Errorf("the cluster refuses the key of %s; does the Secret belong to this cluster? %w", entity, err)
	}
	return err
}
