package cephtest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// subvolumeSnapshot is one snapshot of a subvolume.
type subvolumeSnapshot struct {
	second int
	used   uint64
	quota  uint64
	pool   string
}

// clone is how far a copy of a snapshot is; nil for what is no clone.
type clone struct {
	state    string
	snapshot *subvolumeSnapshot
}

// finished tells whether a subvolume can be used as far as cloning goes.
func (l *clone) finished() bool { return l == nil || l.state == ceph.CloneComplete }

// unfinishable tells whether the copy goes on, so that even force does not help.
func (l *clone) unfinishable() bool {
	return l != nil && (l.state == ceph.ClonePending || l.state == ceph.CloneInProgress)
}

// HoldClones lets clones that begin from now on stay pending until EndClones.
func (c *Cluster) HoldClones() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clonesHeld = true
}

// EndClones ends all clones under way in the given state, and no longer holds
// new ones.
func (c *Cluster) EndClones(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clonesHeld = false
	for _, v := range c.volumes {
		for _, group := range v.groups {
			for _, one := range group {
				if one.clone.unfinishable() {
					one.clone.state = state
				}
			}
		}
	}
}

func snapshotCommands() map[string]command {
	const named = "vol_name:str sub_name:str snap_name:str group_name:str?"
	return map[string]command{
		"fs subvolume snapshot create": mgrWrite(named, (*call).snapshotCreate),
		"fs subvolume snapshot info":   mgrRead(named, (*call).snapshotInfo),
		"fs subvolume snapshot ls":     mgrRead("vol_name:str sub_name:str group_name:str?", (*call).snapshotList),
		"fs subvolume snapshot rm":     mgrWrite(named+" force:bool?", (*call).snapshotRemove),
		"fs subvolume snapshot clone": mgrWrite(named+" target_sub_name:str target_group_name:str? pool_layout:str?",
			(*call).snapshotClone),
		"fs clone status": mgrRead("vol_name:str clone_name:str group_name:str?", (*call).cloneStatus),
		"fs clone cancel": mgrWrite("vol_name:str clone_name:str group_name:str?", (*call).cloneCancel),
	}
}

func (c *call) snapshotCreate() error {
	found, err := c.usable("snap-create")
	if err != nil {
		return err
	}
	if found.snapshots[c.str("snap_name")] == nil {
		c.seconds++
		found.snapshots[c.str("snap_name")] = &subvolumeSnapshot{
			second: c.seconds, used: found.used, quota: found.quota, pool: found.pool,
		}
	}
	return nil
}

// snapshot finds a snapshot, also of a subvolume that was removed.
func (c *call) snapshot() (*subvolume, *subvolumeSnapshot, error) {
	found, err := c.subvolume("sub_name")
	if err != nil {
		return nil, nil, err
	}
	if snapshot := found.snapshots[c.str("snap_name")]; snapshot != nil {
		return found, snapshot, nil
	}
	return nil, nil, refuse(errNoEntry, "snapshot '%s' does not exist", c.str("snap_name"))
}

func (c *call) snapshotInfo() (any, error) {
	_, snapshot, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	pending := "no"
	if c.cloned(snapshot) {
		pending = "yes"
	}
	return map[string]any{
		"created_at": fmt.Sprintf("2026-01-02 15:%02d:%02d.000000", snapshot.second/60, snapshot.second%60),
		"data_pool":  snapshot.pool, "has_pending_clones": pending,
	}, nil
}

// cloned tells whether clones of the snapshot are under way.
func (c *call) cloned(snapshot *subvolumeSnapshot) bool {
	for _, v := range c.volumes {
		for _, group := range v.groups {
			under := func(one *subvolume) bool { return one.clone.unfinishable() && one.clone.snapshot == snapshot }
			if slices.ContainsFunc(slices.Collect(maps.Values(group)), under) {
				return true
			}
		}
	}
	return false
}

func (c *call) snapshotList() (any, error) {
	found, err := c.subvolume("sub_name")
	if err != nil {
		return nil, err
	}
	return listed(found.snapshots), nil
}

func (c *call) snapshotRemove() error {
	found, snapshot, err := c.snapshot()
	if err != nil {
		return err
	}
	if c.cloned(snapshot) {
		return refuse(errAgain, "snapshot '%s' has pending clones", c.str("snap_name"))
	}
	delete(found.snapshots, c.str("snap_name"))
	if found.retained && len(found.snapshots) == 0 {
		delete(c.volumes[c.str("vol_name")].groups[c.str("group_name")], c.str("sub_name"))
	}
	return nil
}

func (c *call) snapshotClone() error {
	_, snapshot, err := c.snapshot()
	if err != nil {
		return err
	}
	v, group, err := c.group("target_group_name")
	if err != nil {
		return err
	}
	if group[c.str("target_sub_name")] != nil {
		return refuse(errExists, "subvolume '%s' exists", c.str("target_sub_name"))
	}
	pool := c.str("pool_layout")
	if pool == "" {
		pool = snapshot.pool
	}
	made, err := v.add(group, c.str("target_group_name"), c.str("target_sub_name"), pool)
	if err != nil {
		return err
	}
	made.quota, made.used = snapshot.quota, snapshot.used
	made.clone = &clone{state: ceph.CloneComplete, snapshot: snapshot}
	if c.clonesHeld {
		made.clone.state = ceph.ClonePending
	}
	return nil
}

func (c *call) cloneStatus() (any, error) {
	found, err := c.subvolume("clone_name")
	if err != nil {
		return nil, err
	}
	if found.clone == nil {
		return nil, refuse(errNotSupported, "operation 'clone-status' is not allowed on subvolume '%s' of type subvolume", c.str("clone_name"))
	}
	status := map[string]any{"state": found.clone.state}
	if found.clone.state == ceph.CloneFailed {
		status["failure"] = map[string]string{"errno": "28", "error_msg": "No space left on device"}
	}
	return map[string]any{"status": status}, nil
}

func (c *call) cloneCancel() error {
	found, err := c.subvolume("clone_name")
	if err != nil {
		return err
	}
	if !found.clone.unfinishable() {
		return refuse(errInvalid, "cannot cancel -- clone finished (check clone status)")
	}
	found.clone.state = ceph.CloneCanceled
	return nil
}
