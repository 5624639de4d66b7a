package cephtest

import (
	"fmt"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// placementGroup is one PG: the OSDs that hold it now, and how few of them
// are enough to serve it.
type placementGroup struct {
	id      string
	acting  []int
	size    int
	minSize int
}

// SetPGs makes the status report these PG states, such as
// {"active+clean": 30, "active+undersized+degraded": 2}, in place of those
// that the fake computes. A nil map ends it.
func (c *Cluster) SetPGs(states map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pgs = states
}

// placementGroups maps every PG onto up and in OSDs, at most one per failure
// domain of its pool's rule. There is no history: data moves at once.
func (c *Cluster) placementGroups() []placementGroup {
	var groups []placementGroup
	for _, pool := range c.pools.sorted() {
		domains := c.domains(pool)
		for n := range pool.PGNum {
			pg := placementGroup{id: fmt.Sprintf("%d.%x", pool.ID, n), size: pool.Size, minSize: pool.MinSize}
			for i := range min(pool.Size, len(domains)) {
				domain := domains[(n+i)%len(domains)]
				id := domain[n%len(domain)]
				if c.osds.all[id].up {
					pg.acting = append(pg.acting, id)
				}
			}
			groups = append(groups, pg)
		}
	}
	return groups
}

// domains lists the in OSDs of a pool's rule, grouped by failure domain. A
// down OSD that is still in keeps its place.
func (c *Cluster) domains(pool ceph.Pool) [][]int {
	rule := c.crush.ruleByID(pool.CrushRule)
	if rule == nil {
		return nil
	}
	root, class, kind := failureDomain(*rule)
	var groups [][]int
	for _, item := range c.crush.items {
		if item.kind != kind || !slices.Contains(c.ancestors(item), root) {
			continue
		}
		var members []int
		for _, id := range c.crush.osdsBelow(item.name) {
			one := c.osds.all[id]
			if one != nil && one.in && !one.destroyed && (class == "" || one.class == class) {
				members = append(members, id)
			}
		}
		if len(members) > 0 {
			groups = append(groups, members)
		}
	}
	slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	return groups
}

func (c *Cluster) ancestors(item *crushItem) []string {
	var names []string
	for at := item; at != nil; at = c.crush.find(at.parent) {
		names = append(names, at.name)
		if at.parent == "" {
			break
		}
	}
	return names
}

func (c *Cluster) pgsOf(id int) []string {
	var list []string
	for _, pg := range c.placementGroups() {
		if slices.Contains(pg.acting, id) {
			list = append(list, pg.id)
		}
	}
	return list
}

// holdsData tells whether an OSD has PGs, or would have if it were up.
func (c *Cluster) holdsData(id int) bool {
	one := c.osds.all[id]
	if one == nil || !one.booted || !one.in {
		return false
	}
	for _, pool := range c.pools.sorted() {
		for _, domain := range c.domains(pool) {
			if slices.Contains(domain, id) {
				return true
			}
		}
	}
	return false
}

func (pg placementGroup) state() string {
	switch {
	case len(pg.acting) == 0:
		return "unknown"
	case len(pg.acting) >= pg.size:
		return "active+clean"
	case len(pg.acting) >= pg.minSize:
		return "active+undersized+degraded"
	}
	return "undersized+degraded+peered"
}

func (c *Cluster) unhealthyPGs() (degraded, inactive int) {
	for _, pg := range c.placementGroups() {
		switch pg.state() {
		case "active+undersized+degraded":
			degraded++
		case "undersized+degraded+peered", "unknown":
			inactive++
		}
	}
	return degraded, inactive
}

func (c *Cluster) pgMap() ceph.PGMap {
	states := c.pgs
	if states == nil {
		states = map[string]int{}
		for _, pg := range c.placementGroups() {
			states[pg.state()]++
		}
	}
	result := ceph.PGMap{NumPools: len(c.pools.all), PGsByState: []ceph.PGState{}}
	for _, state := range sortedKeys(states) {
		result.PGsByState = append(result.PGsByState, ceph.PGState{StateName: state, Count: states[state]})
		result.NumPGs += states[state]
	}
	for _, one := range c.osds.all {
		if one.up {
			result.BytesTotal += one.bytes()
			result.BytesAvail += one.bytes()
		}
	}
	return result
}
