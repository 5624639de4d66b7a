package cephtest

import (
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// settings are how a file system is to be served.
type settings struct {
	maxMDS   int
	replay   bool
	joinable bool
	standbys int
	// ranks are those that exist, stopped those that ended in order.
	ranks, stopped []int
	// before is the number of ranks before the file system was taken down.
	before int
}

func newSettings() settings { return settings{maxMDS: 1, joinable: true, standbys: -1} }

func filesystemCommands() map[string]command {
	return map[string]command{
		"fs ls":            read("", (*call).filesystemList),
		"fs dump":          read("", (*call).filesystemDump),
		"fs new":           write("fs_name:str metadata:str data:str", (*call).filesystemNew),
		"fs add_data_pool": write("fs_name:str pool:str", (*call).filesystemAddPool),
		"fs set":           write("fs_name:str var:str val:str yes_i_really_mean_it:bool?", (*call).filesystemSet),
		"fs flag set":      write("flag_name:str val:str yes_i_really_mean_it:bool?", func(*call) error { return nil }),
		"fs fail":          write("fs_name:str yes_i_really_mean_it:bool?", (*call).filesystemFail),
		"fs status":        mgrRead("fs:str?", (*call).filesystemStatus),
		"fs rm":            write("fs_name:str yes_i_really_mean_it:bool?", (*call).filesystemRemove),
	}
}

func (c *call) filesystem() (*volume, error) {
	if v := c.volumes[c.str("fs_name")]; v != nil {
		return v, nil
	}
	return nil, refuse(errNoEntry, "Filesystem not found: '%s'", c.str("fs_name"))
}

func (c *call) filesystemList() (any, error) {
	list := []ceph.Filesystem{}
	for _, name := range sortedKeys(c.volumes) {
		v := c.volumes[name]
		list = append(list, ceph.Filesystem{Name: name, MetadataPool: c.poolName(v.metadata), DataPools: v.data})
	}
	return list, nil
}

func (c *call) filesystemStatus() (any, error) {
	clients := []any{}
	for _, name := range sortedKeys(c.volumes) {
		if !c.has("fs") || c.str("fs") == name {
			clients = append(clients, map[string]any{"fs": name, "clients": c.volumes[name].clients})
		}
	}
	return map[string]any{"clients": clients}, nil
}

// SetClients says how many have a file system mounted.
func (c *Cluster) SetClients(volume string, count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.volumes[volume].clients = count
}

func (c *Cluster) poolName(id int) string {
	for name, pool := range c.pools.all {
		if pool.ID == id {
			return name
		}
	}
	return ""
}

func (c *call) filesystemDump() (any, error) {
	dump := ceph.FSMap{Epoch: c.mdss.epoch, Standbys: []ceph.MDSInfo{}, Filesystems: []ceph.FSMapVolume{}}
	dump.Features.EnableMultiple = true
	for _, name := range sortedKeys(c.volumes) {
		dump.Filesystems = append(dump.Filesystems, ceph.FSMapVolume{ID: c.volumes[name].id, Map: c.mdsMap(c.volumes[name])})
	}
	for _, daemon := range c.mdss.sorted() {
		if daemon.volume == nil {
			dump.Standbys = append(dump.Standbys, daemon.info())
		}
	}
	return dump, nil
}

func (c *Cluster) mdsMap(v *volume) ceph.MDSMap {
	result := ceph.MDSMap{
		Name: v.name, MaxMDS: v.settings.maxMDS, In: slices.Clone(v.settings.ranks), Failed: []int{}, Damaged: []int{}, Stopped: slices.Clone(v.settings.stopped),
		Info: map[string]ceph.MDSInfo{}, MetadataPool: v.metadata, DataPools: []int{}, StandbyCountWanted: v.settings.standbys,
	}
	result.Flags.Joinable, result.Flags.AllowStandbyReplay = v.settings.joinable, v.settings.replay
	for _, pool := range v.data {
		result.DataPools = append(result.DataPools, c.pools.all[pool].ID)
	}
	for _, rank := range v.settings.ranks {
		if c.mdss.holder(v, rank) == nil {
			result.Failed = append(result.Failed, rank)
		}
	}
	for _, daemon := range c.mdss.sorted() {
		if daemon.volume == v {
			result.Info["gid_"+strconv.FormatUint(daemon.gid, 10)] = daemon.info()
		}
	}
	return result
}

// usedBy is the file system that has a pool, or nil.
func (c *Cluster) usedBy(pool *ceph.Pool) *volume {
	for _, v := range c.volumes {
		if v.metadata == pool.ID || slices.Contains(v.data, pool.Name) {
			return v
		}
	}
	return nil
}

func (c *call) filesystemNew() error {
	name := c.str("fs_name")
	metadata, data := c.pools.all[c.str("metadata")], c.pools.all[c.str("data")]
	for given, pool := range map[string]*ceph.Pool{c.str("metadata"): metadata, c.str("data"): data} {
		if pool == nil {
			return refuse(errNoEntry, "pool '%s' does not exist", given)
		}
	}
	existing := c.volumes[name]
	switch {
	case existing != nil && existing.metadata == metadata.ID && existing.data[0] == data.Name:
		c.status = "filesystem '" + name + "' already exists"
		return nil
	case existing != nil:
		return refuse(errInvalid, "filesystem already exists with name '%s'", name)
	case c.usedBy(metadata) != nil || c.usedBy(data) != nil:
		return refuse(errInvalid, "Filesystem '%s' is already using one of the specified RADOS pools", name)
	case c.mdss.holds[metadata.ID]:
		return refuse(errInvalid, "pool '%s' already contains some objects. Use an empty pool instead.", metadata.Name)
	case data.Type == ceph.PoolErasure:
		return refuse(errInvalid, "pool '%s' is an erasure-coded pool. Use of an EC pool for the default data pool is discouraged", data.Name)
	}
	if c.volumes == nil {
		c.volumes = map[string]*volume{}
	}
	c.mdss.nextID++
	c.volumes[name] = &volume{
		id: c.mdss.nextID, name: name, metadata: metadata.ID, data: []string{data.Name},
		groups: map[string]map[string]*subvolume{"": {}}, settings: newSettings(),
	}
	metadata.Options["pg_autoscale_bias"], metadata.Options["recovery_priority"] = 4, 5
	metadata.Options["pg_num_min"] = 16
	metadata.ApplicationMetadata["cephfs"] = map[string]string{"metadata": name}
	data.ApplicationMetadata["cephfs"] = map[string]string{"data": name}
	c.osds.epoch++
	c.settleMDS()
	return nil
}

func (c *call) filesystemAddPool() error {
	pool, found := c.pools.all[c.str("pool")]
	if !found {
		return refuse(errNoEntry, "pool '%s' does not exist", c.str("pool"))
	}
	v, err := c.filesystem()
	if err != nil {
		return err
	}
	if owner := c.usedBy(pool); owner != nil {
		return refuse(errInvalid, "RADOS pool '%s' is already used by filesystem '%s'", pool.Name, owner.name)
	}
	v.data = append(v.data, pool.Name)
	pool.ApplicationMetadata["cephfs"] = map[string]string{"data": v.name}
	c.osds.epoch++
	c.mdss.epoch++
	return nil
}

func (c *call) filesystemSet() error {
	v, err := c.filesystem()
	if err != nil {
		return err
	}
	value := c.str("val")
	switch c.str("var") {
	case "max_mds":
		count, err := strconv.Atoi(value)
		if err != nil || count < 1 || count > 256 {
			return refuse(errInvalid, "You must specify at least one MDS")
		}
		v.settings.maxMDS = count
	case "standby_count_wanted":
		if v.settings.standbys, err = strconv.Atoi(value); err != nil {
			return refuse(errInvalid, "error parsing '%s'", value)
		}
	case "down":
		err = c.takeDown(v, value)
	case "allow_standby_replay":
		v.settings.replay, err = truth(value)
	case "joinable":
		v.settings.joinable, err = truth(value)
	default:
		return refuse(errInvalid, "unknown variable %s", c.str("var"))
	}
	if err != nil {
		return err
	}
	c.settleMDS()
	return nil
}

// takeDown ends all ranks in order, or has as many served again as before.
func (c *call) takeDown(v *volume, value string) error {
	down, err := truth(value)
	switch {
	case err != nil:
		return err
	case down && v.settings.maxMDS > 0:
		v.settings.before, v.settings.maxMDS = v.settings.maxMDS, 0
		c.shrink(v)
	case !down && v.settings.maxMDS == 0:
		v.settings.maxMDS = v.settings.before
	}
	return nil
}

func truth(value string) (bool, error) {
	switch value {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, refuse(errInvalid, "value must be false|no|0 or true|yes|1")
}

func (c *call) filesystemFail() error {
	v, err := c.filesystem()
	if err != nil {
		return err
	}
	v.settings.joinable = false
	for _, daemon := range c.mdss.daemons {
		if daemon.volume == v {
			daemon.leave()
		}
	}
	c.settleMDS()
	return nil
}

func (c *call) filesystemRemove() error {
	v := c.volumes[c.str("fs_name")]
	if v == nil {
		c.status = "filesystem '" + c.str("fs_name") + "' does not exist"
		return nil
	}
	if slices.ContainsFunc(c.mdss.sorted(), func(d *mds) bool { return d.volume == v }) {
		return refuse(errInvalid, "all MDS daemons must be inactive/failed before removing filesystem. See `ceph fs fail`.")
	}
	if !c.flag("yes_i_really_mean_it") {
		return refuse(errPerm, "this is a DESTRUCTIVE operation and will make data in your filesystem permanently inaccessible.")
	}
	if len(v.settings.ranks)+len(v.settings.stopped) > 0 {
		c.mdss.holds[v.metadata] = true
	}
	delete(c.volumes, v.name)
	c.settleMDS()
	return nil
}
