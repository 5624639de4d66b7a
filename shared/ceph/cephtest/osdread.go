package cephtest

import (
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func osdReadCommands() map[string]command {
	return map[string]command{
		"osd ls":              read("", func(c *call) (any, error) { return append([]int{}, c.osds.ids()...), nil }),
		"osd stat":            read("", (*call).osdStat),
		"osd dump":            read("", (*call).osdDump),
		"osd tree":            read("states:list?", (*call).osdTree),
		"osd metadata":        read("", (*call).osdMetadata),
		"osd df":              mgrRead("", (*call).osdDF),
		"osd ok-to-stop":      mgrRead("ids:list max:int?", (*call).osdOKToStop),
		"osd safe-to-destroy": mgrRead("ids:list", (*call).osdSafeToDestroy),
	}
}

func (c *call) osdStat() (any, error) {
	return ceph.OSDStat{
		Epoch: c.osds.epoch, Num: len(c.osds.all), NumUp: c.osds.countUp(), NumIn: c.osds.countIn(),
	}, nil
}

func (c *call) osdDump() (any, error) {
	dump := ceph.OSDMap{
		Epoch: c.osds.epoch, FSID: c.fsid, Flags: []string{},
		FullRatio: c.osds.ratios["full"], BackfillfullRatio: c.osds.ratios["backfillfull"],
		NearfullRatio:     c.osds.ratios["nearfull"],
		RequireOSDRelease: c.osds.release, RequireMinCompatClient: c.osds.minClient,
		CrushNodeFlags: map[string][]string{}, DeviceClassFlags: map[string][]string{},
		OSDs: []ceph.OSDState{},
	}
	for _, flag := range sortedKeys(c.osds.flags) {
		if c.osds.flags[flag] {
			dump.Flags = append(dump.Flags, flag)
		}
	}
	for who, flags := range c.osds.groupFlags {
		if len(flags) > 0 && c.crush.find(who) != nil {
			dump.CrushNodeFlags[who] = flags
		} else if len(flags) > 0 {
			dump.DeviceClassFlags[who] = flags
		}
	}
	for _, id := range c.osds.ids() {
		dump.OSDs = append(dump.OSDs, c.osds.all[id].state())
	}
	return struct {
		ceph.OSDMap
		Pools []dumpedPool `json:"pools"`
	}{dump, dumpPools(c.pools.sorted())}, nil
}

// dumpedPool is a pool in "osd dump", which names its id differently.
type dumpedPool struct {
	ceph.Pool
	ID     int  `json:"pool"`
	NoName *int `json:"pool_id,omitempty"`
}

func dumpPools(pools []ceph.Pool) []dumpedPool {
	list := make([]dumpedPool, 0, len(pools))
	for _, pool := range pools {
		list = append(list, dumpedPool{Pool: pool, ID: pool.ID})
	}
	return list
}

func (o *osd) state() ceph.OSDState {
	state := ceph.OSDState{
		ID: o.id, UUID: o.uuid, Up: ceph.Flag(o.up), In: ceph.Flag(o.in),
		UpFrom: o.upFrom, DownAt: o.downAt, State: []string{"exists"},
	}
	if o.uuid == "" {
		state.UUID = "00000000-0000-0000-0000-000000000000"
	}
	if o.in {
		state.Weight = 1
	}
	if o.up {
		state.State = append(state.State, "up")
	}
	if o.destroyed {
		state.State = append(state.State, "destroyed")
	}
	if !o.booted && !o.destroyed {
		state.State = append(state.State, "new")
	}
	return state
}

func (c *call) osdTree() (any, error) {
	tree := ceph.OSDTree{Nodes: []ceph.OSDNode{}, Stray: []ceph.OSDNode{}}
	wanted := c.list("states")
	placed := map[int]bool{}
	for _, root := range c.crush.roots() {
		c.appendNodes(&tree.Nodes, root, wanted, placed)
	}
	for _, id := range c.osds.ids() {
		if node := c.osdNode(id, 0); !placed[id] && matches(node.Status, c.osds.all[id], wanted) {
			tree.Stray = append(tree.Stray, node)
		}
	}
	return tree, nil
}

// appendNodes lists a bucket before what it holds. With wanted states only
// buckets that hold a matching OSD are listed.
func (c *call) appendNodes(nodes *[]ceph.OSDNode, item *crushItem, wanted []string, placed map[int]bool) bool {
	if item.osd() {
		placed[item.id] = true
		one := c.osds.all[item.id]
		node := c.osdNode(item.id, item.weight)
		if one == nil || !matches(node.Status, one, wanted) {
			return false
		}
		*nodes = append(*nodes, node)
		return true
	}
	at := len(*nodes)
	*nodes = append(*nodes, ceph.OSDNode{
		ID: item.id, Name: item.name, Type: item.kind, TypeID: crushTypeID(item.kind), Children: []int{},
	})
	shown := len(wanted) == 0
	for _, child := range c.crush.children(item.name) {
		if c.appendNodes(nodes, child, wanted, placed) {
			(*nodes)[at].Children = append((*nodes)[at].Children, child.id)
			shown = true
		}
	}
	if !shown {
		*nodes = slices.Delete(*nodes, at, len(*nodes))
	}
	return shown
}

func (c *call) osdNode(id int, weight float64) ceph.OSDNode {
	node := ceph.OSDNode{
		ID: id, Name: osdName(id), Type: "osd", CrushWeight: weight, Exists: 1, Status: "down",
	}
	one := c.osds.all[id]
	if one == nil {
		node.Exists = 0
		return node
	}
	node.DeviceClass = one.class
	if one.in {
		node.Reweight = 1
	}
	if one.up {
		node.Status = "up"
	} else if one.destroyed {
		node.Status = "destroyed"
	}
	return node
}

func matches(status string, one *osd, wanted []string) bool {
	for _, state := range wanted {
		if state != status && (state != "in" || !one.in) && (state != "out" || one.in) {
			return false
		}
	}
	return true
}

func (c *call) osdMetadata() (any, error) {
	list := []ceph.OSDMetadata{}
	for _, id := range c.osds.ids() {
		one := c.osds.all[id]
		entry := ceph.OSDMetadata{ID: id}
		if one.booted {
			entry.Hostname, entry.ObjectStore, entry.DefaultClass = one.host, "bluestore", one.class
			entry.Version, entry.Short, entry.Release = fullVersion(c.version), c.version, releaseName(c.version)
		}
		list = append(list, entry)
	}
	return list, nil
}

func (c *call) osdDF() (any, error) {
	usage := ceph.OSDDF{Nodes: []ceph.OSDUsage{}}
	for _, id := range c.osds.ids() {
		one := c.osds.all[id]
		item := c.crush.find(osdName(id))
		if item == nil {
			continue
		}
		node := c.osdNode(id, item.weight)
		entry := ceph.OSDUsage{
			ID: id, Name: node.Name, DeviceClass: one.class, CrushWeight: item.weight,
			Reweight: node.Reweight, Status: node.Status, PGs: len(c.pgsOf(id)),
		}
		if one.booted {
			entry.KB, entry.KBAvail = one.bytes()>>10, one.bytes()>>10
		}
		usage.Summary.TotalKB += entry.KB
		usage.Summary.TotalKBAvail += entry.KBAvail
		usage.Nodes = append(usage.Nodes, entry)
	}
	return usage, nil
}

func (c *call) osdIDs() ([]int, error) {
	var ids []int
	for _, word := range c.list("ids") {
		id, err := strconv.Atoi(word)
		if err != nil {
			return nil, refuse(errInvalid, "unable to parse osd id value %q", word)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (c *call) osdOKToStop() (any, error) {
	ids, err := c.osdIDs()
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	result := c.afterStopping(ids)
	for _, id := range c.sameDomain(ids) {
		if len(result.OSDs) >= c.integer("max") || !result.OK {
			break
		}
		if wider := c.afterStopping(append(slices.Clone(result.OSDs), id)); wider.OK {
			result = wider
		}
	}
	if !result.OK {
		return result, refuse(errBusy, "unsafe to stop osd(s) at this time (%d PGs are or would become offline)", result.NumNotOKPGs)
	}
	return result, nil
}

// afterStopping finds out which PGs would lose their last allowed replica.
func (c *Cluster) afterStopping(ids []int) ceph.OKToStop {
	result := ceph.OKToStop{OK: true, OSDs: ids}
	for _, pg := range c.placementGroups() {
		left := 0
		touched := false
		for _, id := range pg.acting {
			if slices.Contains(ids, id) {
				touched = true
			} else {
				left++
			}
		}
		switch {
		case !touched:
		case left < pg.minSize:
			result.OK = false
			result.NumNotOKPGs++
			result.BadBecomeInactive = append(result.BadBecomeInactive, pg.id)
		default:
			result.NumOKPGs++
			result.OKBecomeDegraded = append(result.OKBecomeDegraded, pg.id)
		}
	}
	return result
}

// sameDomain is the up OSDs beside the first of ids, then those under its
// grandparent, and so on.
func (c *Cluster) sameDomain(ids []int) []int {
	var candidates []int
	for item := c.crush.find(osdName(ids[0])); item != nil; item = c.crush.find(item.parent) {
		for _, id := range c.crush.osdsBelow(item.name) {
			one := c.osds.all[id]
			if one != nil && one.up && !slices.Contains(ids, id) && !slices.Contains(candidates, id) {
				candidates = append(candidates, id)
			}
		}
	}
	return candidates
}

func (c *call) osdSafeToDestroy() (any, error) {
	ids, err := c.osdIDs()
	if err != nil {
		return nil, err
	}
	result := ceph.SafeToDestroy{Safe: []int{}, Active: []int{}, MissingStats: []int{}, StoredPGs: []int{}}
	for _, id := range ids {
		switch one := c.osds.all[id]; {
		case one == nil:
			result.Safe = append(result.Safe, id)
		case c.holdsData(id) && one.up:
			result.Active = append(result.Active, id)
		case c.holdsData(id):
			result.StoredPGs = append(result.StoredPGs, id)
		default:
			result.Safe = append(result.Safe, id)
		}
	}
	return result, nil
}
