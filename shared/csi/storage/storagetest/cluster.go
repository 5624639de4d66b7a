// Package storagetest is a stateful fake of storage.Cluster: pools with omaps,
// images, trash and watchers in memory. Faults can be put before or after any
// call. An unknown command fails by name. It never opens a connection.
package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// ErrInjected is the error of a call that a fault made fail.
var ErrInjected = errors.New("injected fault")

// Moment tells on which side of its effect a call fails.
type Moment int

const (
	// Before means that the call had no effect.
	Before Moment = iota
	// After means that the call took effect and the reply was lost.
	After
)

// Cluster is the fake. Make it with New.
type Cluster struct {
	mu       sync.Mutex
	pools    map[string]*pool
	calls    []string
	fault    int
	moment   Moment
	commands []ceph.Command
	dials    []keyring.Key
	blocked  []string
	nextID   int
	noTasks  bool
	others   ceph.Conn
}

type pool struct {
	id     int64
	name   string
	quota  uint64
	spaces map[string]*space
}

type space struct {
	omaps    map[string]map[string]string
	images   map[string]*image
	trash    map[string]*image
	locks    map[string]string
	initDone bool
}

type image struct {
	storage.Image
	name     string
	layout   storage.Layout
	watchers []storage.Watcher
}

// New returns a cluster with the named pools, whose ids start at 1.
func New(pools ...string) *Cluster {
	c := &Cluster{pools: map[string]*pool{}}
	for i, name := range pools {
		c.pools[name] = &pool{id: int64(i + 1), name: name, spaces: map[string]*space{}}
	}
	return c
}

// FailAt makes the n-th call from now (counted from 0) fail once.
func (c *Cluster) FailAt(n int, moment Moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.moment = len(c.calls)+n+1, moment
}

// LoseTasks makes the mgr one whose rbd_support module did not load.
func (c *Cluster) LoseTasks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noTasks = true
}

// Forward sends the commands that this fake does not know to another one.
func (c *Cluster) Forward(others ceph.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = others
}

// Calls returns the names of all calls so far.
func (c *Cluster) Calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.calls...)
}

// Blocklisted returns the client addresses that were fenced.
func (c *Cluster) Blocklisted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.blocked...)
}

// Dialled returns the identities that connections were opened with.
func (c *Cluster) Dialled() []keyring.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]keyring.Key(nil), c.dials...)
}

// Watch adds a client that has the image open.
func (c *Cluster) Watch(pool, image string, watcher storage.Watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.pools[pool].space("").images[image]
	found.watchers = append(found.watchers, watcher)
}

// Unwatch ends all clients of the image.
func (c *Cluster) Unwatch(pool, image string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pools[pool].space("").images[image].watchers = nil
}

// SetQuota sets how many bytes a pool may hold.
func (c *Cluster) SetQuota(pool string, quota uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pools[pool].quota = quota
}

// ImageSize returns the size of an image.
func (c *Cluster) ImageSize(pool, image string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pools[pool].space("").images[image].Size
}

// ExpireLocks ends the leases of all locks.
func (c *Cluster) ExpireLocks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pools {
		for _, s := range p.spaces {
			clear(s.locks)
		}
	}
}

// ImageNames returns the images of a pool.
func (c *Cluster) ImageNames(pool string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return names(c.pools[pool].space("").images)
}

// Layout returns how an image was made.
func (c *Cluster) Layout(pool, image string) storage.Layout {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pools[pool].space("").images[image].layout
}

// Objects returns the omaps of a pool, by object.
func (c *Cluster) Objects(pool string) map[string]map[string]string {
	return c.ObjectsOf(pool, "")
}

// ObjectsOf returns the omaps of a namespace of a pool, by object.
func (c *Cluster) ObjectsOf(pool, namespace string) map[string]map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	objects := map[string]map[string]string{}
	for name, values := range c.pools[pool].space(namespace).omaps {
		objects[name] = clone(values)
	}
	return objects
}

// PutObject replaces an omap of a pool, as another writer would.
func (c *Cluster) PutObject(pool, object string, values map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pools[pool].space("").omaps[object] = clone(values)
}

// DialStorage returns the cluster itself.
func (c *Cluster) DialStorage(_ context.Context, _ api.Connection, key keyring.Key) (storage.Cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dials = append(c.dials, key)
	return c, nil
}

// Close does nothing: the fake outlives its connections.
func (c *Cluster) Close() {}

// Mon knows `osd blocklist`, `df` and, unless it is forwarded, `osd pool ls`.
func (c *Cluster) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return c.command(ctx, ceph.Conn.Mon, cmd)
}

// Mgr knows `rbd task add trash remove`.
func (c *Cluster) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return c.command(ctx, ceph.Conn.Mgr, cmd)
}

type sender func(ceph.Conn, context.Context, ceph.Command) (ceph.Reply, error)

func (c *Cluster) command(ctx context.Context, send sender, cmd ceph.Command) (reply ceph.Reply, err error) {
	err = c.call(ctx, cmd.Prefix, func() error {
		c.commands = append(c.commands, cmd)
		switch cmd.Prefix {
		case "rbd task add trash remove":
			if c.noTasks {
				return fmt.Errorf("no handler found for %q: %w", cmd.Prefix, ceph.ErrInvalid)
			}
			return c.removeTrash(fmt.Sprint(cmd.Args["image_id_spec"]))
		case "osd blocklist":
			c.blocked = append(c.blocked, fmt.Sprint(cmd.Args["addr"]))
			return nil
		case "df":
			reply.Body, _ = json.Marshal(c.df())
			return nil
		}
		if c.others != nil {
			var err error
			reply, err = send(c.others, ctx, cmd)
			return err
		}
		if cmd.Prefix == "osd pool ls" {
			reply.Body, _ = json.Marshal(c.poolList())
			return nil
		}
		return fmt.Errorf("storagetest: unknown command %q", cmd.Prefix)
	})
	return reply, err
}

func (c *Cluster) df() any {
	type stats struct {
		MaxAvail int64 `json:"max_avail"`
	}
	type entry struct {
		Name  string `json:"name"`
		ID    int64  `json:"id"`
		Stats stats  `json:"stats"`
	}
	var pools []entry
	for _, p := range c.pools {
		pools = append(pools, entry{p.name, p.id, stats{10 << 30}})
	}
	return map[string]any{"pools": pools}
}

func (c *Cluster) poolList() []ceph.Pool {
	var list []ceph.Pool
	for _, p := range c.pools {
		list = append(list, ceph.Pool{ID: int(p.id), Name: p.name, QuotaMaxBytes: p.quota})
	}
	return list
}

func (c *Cluster) removeTrash(spec string) error {
	for _, p := range c.pools {
		for space, content := range p.spaces {
			prefix := p.name + "/"
			if space != "" {
				prefix += space + "/"
			}
			for id := range content.trash {
				if prefix+id == spec {
					delete(content.trash, id)
					return nil
				}
			}
		}
	}
	return fmt.Errorf("trash image %s: %w", spec, ceph.ErrNotFound)
}

// PoolName implements storage.Cluster.
func (c *Cluster) PoolName(ctx context.Context, id int64) (name string, err error) {
	err = c.call(ctx, "PoolName", func() error {
		for _, p := range c.pools {
			if p.id == id {
				name = p.name
				return nil
			}
		}
		return fmt.Errorf("pool %d: %w", id, ceph.ErrNotFound)
	})
	return name, err
}

// Pool implements storage.Cluster.
func (c *Cluster) Pool(ctx context.Context, name, namespace string) (opened storage.Pool, err error) {
	err = c.call(ctx, "Pool", func() error {
		found, ok := c.pools[name]
		if !ok {
			return fmt.Errorf("pool %q: %w", name, ceph.ErrNotFound)
		}
		opened = &handle{cluster: c, pool: found, space: found.space(namespace)}
		return nil
	})
	return opened, err
}

// call counts, applies faults and runs do under the lock.
func (c *Cluster) call(ctx context.Context, name string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, name)
	faulty := c.fault == len(c.calls)
	if faulty && c.moment == Before {
		return fmt.Errorf("%s: %w", name, ErrInjected)
	}
	err := do()
	if faulty {
		return fmt.Errorf("%s: %w", name, ErrInjected)
	}
	return err
}

func (p *pool) space(name string) *space {
	if p.spaces[name] == nil {
		p.spaces[name] = &space{
			omaps: map[string]map[string]string{}, images: map[string]*image{}, trash: map[string]*image{},
			locks: map[string]string{},
		}
	}
	return p.spaces[name]
}
