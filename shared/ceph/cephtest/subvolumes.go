package cephtest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// volume is a file system as the volumes module sees it.
type volume struct {
	id       int
	name     string
	metadata int
	data     []string
	groups   map[string]map[string]*subvolume
	settings settings
	clients  int

	groupSettings map[string]*groupSettings
}

// subvolume is one subvolume or clone.
type subvolume struct {
	directory string
	quota     uint64
	used      uint64
	pool      string
	retained  bool
	clone     *clone
	snapshots map[string]*subvolumeSnapshot
}

// Volumes makes file systems with the pools <name>-metadata and <name>-data,
// which are served, and with the subvolume group csi.
func Volumes(names ...string) Option {
	return func(c *Cluster) {
		for _, name := range names {
			c.addVolume(name)
		}
	}
}

func (c *Cluster) addVolume(name string) {
	if c.volumes == nil {
		c.volumes = map[string]*volume{}
	}
	ids := map[string]int{}
	for _, pool := range []string{name + "-metadata", name + "-data"} {
		ids[pool] = c.pools.nextID
		c.pools.all[pool] = &ceph.Pool{ID: c.pools.nextID, Name: pool, Type: ceph.PoolReplicated, Size: 3, MinSize: 2}
		c.pools.nextID++
	}
	c.mdss.nextID++
	c.volumes[name] = &volume{
		id: c.mdss.nextID, settings: newSettings(), name: name, metadata: ids[name+"-metadata"], data: []string{name + "-data"},
		groups: map[string]map[string]*subvolume{"csi": {}},
	}
}

// UseSubvolume sets how many bytes a subvolume holds.
func (c *Cluster) UseSubvolume(at ceph.Subvolume, used uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.volumes[at.Volume].groups[at.Group][at.Name].used = used
}

func subvolumeCommands() map[string]command {
	return map[string]command{
		"fs subvolume create": mgrWrite("vol_name:str sub_name:str group_name:str? size:int? pool_layout:str? "+
			"mode:str? namespace_isolated:bool?", (*call).subvolumeCreate),
		"fs subvolume info":    mgrRead("vol_name:str sub_name:str group_name:str?", (*call).subvolumeInfo),
		"fs subvolume getpath": mgrRead("vol_name:str sub_name:str group_name:str?", (*call).subvolumePath),
		"fs subvolume ls":      mgrRead("vol_name:str group_name:str?", (*call).subvolumeList),
		"fs subvolume resize":  mgrWrite("vol_name:str sub_name:str new_size:str group_name:str? no_shrink:bool?", (*call).subvolumeResize),
		"fs subvolume rm": mgrWrite("vol_name:str sub_name:str group_name:str? force:bool? retain_snapshots:bool?",
			(*call).subvolumeRemove),
	}
}

// group finds a group, by the argument of that name.
func (c *call) group(argument string) (*volume, map[string]*subvolume, error) {
	v := c.volumes[c.str("vol_name")]
	if v == nil {
		return nil, nil, refuse(errNoEntry, "FS '%s' not found", c.str("vol_name"))
	}
	group := v.groups[c.str(argument)]
	if group == nil && c.str(argument) != "" {
		return nil, nil, refuse(errNoEntry, "subvolume group '%s' does not exist", c.str(argument))
	}
	return v, group, nil
}

// subvolume finds the subvolume that the named argument means.
func (c *call) subvolume(argument string) (*subvolume, error) {
	_, group, err := c.group("group_name")
	if err != nil {
		return nil, err
	}
	if found := group[c.str(argument)]; found != nil {
		return found, nil
	}
	return nil, refuse(errNoEntry, "subvolume '%s' does not exist", c.str(argument))
}

// usable finds a subvolume that an operation is allowed on.
func (c *call) usable(operation string) (*subvolume, error) {
	found, err := c.subvolume("sub_name")
	switch {
	case err != nil:
		return nil, err
	case found.retained:
		return nil, refuse(errNoEntry, "subvolume '%s' is removed and has only snapshots retained", c.str("sub_name"))
	case !found.clone.finished():
		return nil, refuse(errAgain, "subvolume %q is not ready for operation %q", c.str("sub_name"), operation)
	}
	return found, nil
}

func (v *volume) add(group map[string]*subvolume, groupName, name, pool string) (*subvolume, error) {
	if pool == "" {
		pool = v.data[0]
	}
	if !slices.Contains(v.data, pool) {
		return nil, refuse(errInvalid, "invalid pool layout '%s'--need a valid data pool", pool)
	}
	if groupName == "" {
		groupName = "_nogroup"
	}
	made := &subvolume{
		directory: fmt.Sprintf("/volumes/%s/%s/00000000-0000-4000-8000-%012d", groupName, name, len(group)+1),
		pool:      pool, snapshots: map[string]*subvolumeSnapshot{},
	}
	group[name] = made
	return made, nil
}

func (c *call) subvolumeCreate() error {
	v, group, err := c.group("group_name")
	if err != nil {
		return err
	}
	found := group[c.str("sub_name")]
	if found == nil || found.retained {
		made, err := v.add(group, c.str("group_name"), c.str("sub_name"), c.str("pool_layout"))
		if err != nil {
			return err
		}
		if found != nil {
			made.snapshots = found.snapshots
		}
		found = made
	}
	if c.has("size") {
		found.quota = uint64(c.integer("size"))
	}
	return nil
}

func (c *call) subvolumeInfo() (any, error) {
	found, err := c.subvolume("sub_name")
	if err != nil {
		return nil, err
	}
	features := []string{"snapshot-clone", "snapshot-autoprotect", "snapshot-retention"}
	if found.retained {
		return map[string]any{"features": features, "state": ceph.SubvolumeRetained, "type": found.kind()}, nil
	}
	if _, err := c.usable("info"); err != nil {
		return nil, err
	}
	var quota any = "infinite"
	if found.quota > 0 {
		quota = found.quota
	}
	return map[string]any{
		"path": found.directory, "state": ceph.SubvolumeComplete, "type": found.kind(), "bytes_quota": quota,
		"bytes_used": found.used, "data_pool": found.pool, "pool_namespace": "", "features": features,
	}, nil
}

func (s *subvolume) kind() string {
	if s.clone != nil {
		return "clone"
	}
	return "subvolume"
}

func (c *call) subvolumePath() (any, error) {
	found, err := c.usable("getpath")
	if err != nil {
		return nil, err
	}
	return text(found.directory + "\n"), nil
}

func (c *call) subvolumeList() (any, error) {
	_, group, err := c.group("group_name")
	if err != nil {
		return nil, err
	}
	return listed(group), nil
}

func listed[T any](set map[string]T) []map[string]string {
	list := []map[string]string{}
	for _, name := range sortedKeys(set) {
		list = append(list, map[string]string{"name": name})
	}
	return list
}

func (c *call) subvolumeResize() error {
	found, err := c.usable("resize")
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(c.str("new_size"), 10, 64)
	if err != nil || size <= 0 {
		return refuse(errInvalid, "Invalid subvolume size")
	}
	if c.flag("no_shrink") && uint64(size) < found.used {
		return refuse(errInvalid, "Can't resize the subvolume. The new size '%d' would be lesser than the current used size '%d'",
			size, found.used)
	}
	found.quota = uint64(size)
	return nil
}

func (c *call) subvolumeRemove() error {
	_, group, err := c.group("group_name")
	if err != nil {
		return err
	}
	name := c.str("sub_name")
	found := group[name]
	switch {
	case found == nil && c.flag("force"):
		return nil
	case found == nil:
		return refuse(errNoEntry, "subvolume '%s' does not exist", name)
	case !found.clone.finished() && !c.flag("force"), found.clone.unfinishable() && c.flag("force"):
		return refuse(errAgain, "subvolume %q is not ready for operation %q (use --force to override)", name, "rm")
	case len(found.snapshots) > 0 && !c.flag("retain_snapshots"):
		return refuse(errNotEmpty, "subvolume '%s' has snapshots", name)
	case len(found.snapshots) > 0:
		found.retained, found.used = true, 0
		return nil
	}
	delete(group, name)
	return nil
}
