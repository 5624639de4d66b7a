// Package osdmap shares one reading of the pools and the CRUSH rules of a
// cluster among all who ask at about the same time. A reading is as new as the
// call that gets it: it was begun after the call, or its epoch was found current
// after the call. The package decides nothing.
package osdmap

import (
	"context"
	"fmt"
	"sync"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Map is one reading. It is shared: callers must not change it.
type Map struct {
	Epoch uint64
	// Pools by name.
	Pools map[string]*ceph.Pool
	// Rules by name, and by number.
	Rules     map[string]*ceph.CrushRule
	RulesByID map[int]*ceph.CrushRule
}

// Maps reads clusters. The zero value is ready for use.
type Maps struct {
	mu       sync.Mutex
	clusters map[string]*cluster
}

type cluster struct {
	mu      sync.Mutex
	last    *Map
	running *reading
	next    *reading
}

// reading is one round that any number of callers wait for.
type reading struct {
	done   chan struct{}
	result *Map
	err    error
}

// Get returns a reading of the cluster that is not older than the call. Callers
// that come while one round is running share the next.
func (m *Maps) Get(ctx context.Context, clusterID string, client ceph.Client) (*Map, error) {
	round := m.cluster(clusterID).join(client)
	select {
	case <-round.done:
		return round.result, round.err
	case <-ctx.Done():
		return nil, ceph.Interrupted(ctx, "read OSD map")
	}
}

// Forget drops what is known of a cluster that is gone.
func (m *Maps) Forget(clusterID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clusters, clusterID)
}

func (m *Maps) cluster(id string) *cluster {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clusters == nil {
		m.clusters = map[string]*cluster{}
	}
	if m.clusters[id] == nil {
		m.clusters[id] = &cluster{}
	}
	return m.clusters[id]
}

func (c *cluster) join(client ceph.Client) *reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = &reading{done: make(chan struct{})}
		go c.run(c.running, client)
		return c.running
	}
	if c.next == nil {
		c.next = &reading{done: make(chan struct{})}
	}
	return c.next
}

// run does one round, then the one that was asked for meanwhile.
func (c *cluster) run(round *reading, client ceph.Client) {
	for round != nil {
		ctx, cancel := context.WithTimeout(context.Background(), ceph.DefaultTimeout)
		c.mu.Lock()
		last := c.last
		c.mu.Unlock()
		round.result, round.err = read(ctx, client, last)
		cancel()
		c.mu.Lock()
		if round.err == nil {
			c.last = round.result
		}
		close(round.done)
		round, c.running, c.next = c.next, c.next, nil
		c.mu.Unlock()
	}
}

// read asks for the epoch first, and for the rest only if that is new.
func read(ctx context.Context, client ceph.Client, last *Map) (*Map, error) {
	stat, err := client.OSDStat(ctx)
	if err != nil {
		return nil, fmt.Errorf("read epoch of the OSD map: %w", err)
	}
	if last != nil && last.Epoch == stat.Epoch {
		return last, nil
	}
	rules, err := client.CrushRuleDump(ctx)
	if err != nil {
		return nil, fmt.Errorf("read CRUSH rules: %w", err)
	}
	pools, err := client.PoolList(ctx)
	if err != nil {
		return nil, fmt.Errorf("read pools: %w", err)
	}
	fresh := &Map{
		Epoch: stat.Epoch, Pools: make(map[string]*ceph.Pool, len(pools)),
		Rules: map[string]*ceph.CrushRule{}, RulesByID: map[int]*ceph.CrushRule{},
	}
	for i := range pools {
		fresh.Pools[pools[i].Name] = &pools[i]
	}
	for i := range rules {
		fresh.Rules[rules[i].Name] = &rules[i]
		fresh.RulesByID[rules[i].ID] = &rules[i]
	}
	return fresh, nil
}
