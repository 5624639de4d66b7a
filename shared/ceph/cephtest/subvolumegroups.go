package cephtest

import (
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func groupCommands() map[string]command {
	const named = "vol_name:str group_name:str"
	return map[string]command{
		"fs subvolumegroup ls":     mgrRead("vol_name:str", (*call).groupList),
		"fs subvolumegroup info":   mgrRead(named, (*call).groupInfo),
		"fs subvolumegroup create": mgrWrite(named+" size:int? pool_layout:str?", (*call).groupCreate),
		"fs subvolumegroup resize": mgrWrite(named+" new_size:str no_shrink:bool?", (*call).groupResize),
		"fs subvolumegroup pin":    mgrWrite(named+" pin_type:str pin_setting:str", (*call).groupPin),
		"fs subvolumegroup rm":     mgrWrite(named, (*call).groupRemove),
	}
}

// groupSettings are what is set of a group.
type groupSettings struct {
	quota uint64
	pool  string
	pin   string
}

// GroupPin returns how a group is pinned, as "distributed=1".
func (c *Cluster) GroupPin(volume, group string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.volumes[volume].set(group).pin
}

func (v *volume) set(group string) *groupSettings {
	if v.groupSettings == nil {
		v.groupSettings = map[string]*groupSettings{}
	}
	if v.groupSettings[group] == nil {
		v.groupSettings[group] = &groupSettings{pool: v.data[0]}
	}
	return v.groupSettings[group]
}

func (c *call) groupList() (any, error) {
	v := c.volumes[c.str("vol_name")]
	if v == nil {
		return nil, refuse(errNoEntry, "FS '%s' not found", c.str("vol_name"))
	}
	groups := map[string]bool{}
	for name := range v.groups {
		if name != "" {
			groups[name] = true
		}
	}
	return listed(groups), nil
}

func (c *call) groupInfo() (any, error) {
	v, subvolumes, err := c.group("group_name")
	if err != nil {
		return nil, err
	}
	set := v.set(c.str("group_name"))
	var quota any = "infinite"
	if set.quota > 0 {
		quota = set.quota
	}
	used := uint64(0)
	for _, one := range subvolumes {
		used += one.used
	}
	return map[string]any{"bytes_quota": quota, "bytes_used": used, "data_pool": set.pool}, nil
}

func (c *call) groupCreate() error {
	v := c.volumes[c.str("vol_name")]
	if v == nil {
		return refuse(errNoEntry, "FS '%s' not found", c.str("vol_name"))
	}
	pool := c.str("pool_layout")
	if pool != "" && !slices.Contains(v.data, pool) {
		return refuse(errInvalid, "Invalid pool layout '%s'. It must be a valid data pool", pool)
	}
	name := c.str("group_name")
	if v.groups[name] == nil {
		v.groups[name] = map[string]*subvolume{}
	}
	set := v.set(name)
	set.quota = uint64(c.integer("size"))
	if pool != "" {
		set.pool = pool
	}
	return nil
}

func (c *call) groupResize() error {
	v, subvolumes, err := c.group("group_name")
	if err != nil {
		return err
	}
	if c.str("new_size") == "inf" {
		v.set(c.str("group_name")).quota = 0
		return nil
	}
	size, err := strconv.ParseUint(c.str("new_size"), 10, 63)
	if err != nil || size == 0 {
		return refuse(errInvalid, "Invalid subvolume group size")
	}
	used := uint64(0)
	for _, one := range subvolumes {
		used += one.used
	}
	if c.flag("no_shrink") && size < used {
		return refuse(errInvalid, "Can't resize the subvolume group. The new size '%d' would be lesser than the current used size '%d'", size, used)
	}
	v.set(c.str("group_name")).quota = size
	return nil
}

// randomMax is mds_export_ephemeral_random_max.
const randomMax = 0.01

func (c *call) groupPin() error {
	v, _, err := c.group("group_name")
	if err != nil {
		return err
	}
	setting, err := strconv.ParseFloat(c.str("pin_setting"), 64)
	if err != nil || c.str("pin_type") == ceph.PinRandom && setting > randomMax {
		return refuse(errInvalid, "error in setxattr")
	}
	v.set(c.str("group_name")).pin = c.str("pin_type") + "=" + c.str("pin_setting")
	return nil
}

func (c *call) groupRemove() error {
	v, subvolumes, err := c.group("group_name")
	if err != nil {
		return err
	}
	if len(subvolumes) > 0 {
		return refuse(errNotEmpty, "subvolume group %s contains subvolume(s) or retained snapshots of deleted subvolume(s)", c.str("group_name"))
	}
	delete(v.groups, c.str("group_name"))
	delete(v.groupSettings, c.str("group_name"))
	return nil
}
