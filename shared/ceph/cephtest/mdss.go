package cephtest

import (
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// mdss is the metadata servers of the fsmap.
type mdss struct {
	epoch   uint64
	nextGID uint64
	nextID  int
	daemons map[string]*mds
	// holds are the metadata pools, by id, that hold objects of a removed file
	// system.
	holds map[int]bool
}

// mds is one metadata server that runs.
type mds struct {
	gid     uint64
	name    string
	version string
	// volume is nil for a standby.
	volume *volume
	rank   int
	// follows is whether it follows the rank in place of holding it.
	follows bool
}

func newMDSs() mdss {
	return mdss{epoch: 1, nextGID: 4300, daemons: map[string]*mds{}, holds: map[int]bool{}}
}

// MDSs starts metadata servers with these names.
func MDSs(names ...string) Option {
	return func(c *Cluster) {
		for _, name := range names {
			c.startMDS(name)
		}
	}
}

// StartMDS runs a metadata server, or runs it again: it becomes a standby and
// takes what needs one.
func (c *Cluster) StartMDS(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mdss.daemons, name)
	c.startMDS(name)
}

func (c *Cluster) startMDS(name string) {
	c.mdss.nextGID++
	c.mdss.daemons[name] = &mds{gid: c.mdss.nextGID, name: name, rank: -1, version: c.version}
	c.settleMDS()
}

// LoseMDS stops a metadata server; a standby takes over.
func (c *Cluster) LoseMDS(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mdss.daemons, name)
	c.settleMDS()
}

// MDSRunning tells whether a metadata server runs.
func (c *Cluster) MDSRunning(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mdss.daemons[name] != nil
}

// AddSubvolume puts a subvolume into a group, which is made if it is not there.
func (c *Cluster) AddSubvolume(volume, group, name string, used uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.volumes[volume]
	if v.groups[group] == nil {
		v.groups[group] = map[string]*subvolume{}
	}
	v.groups[group][name] = &subvolume{used: used, pool: v.data[0], snapshots: map[string]*subvolumeSnapshot{}}
}

func (m *mds) leave() { m.volume, m.rank, m.follows = nil, -1, false }

func (m *mds) info() ceph.MDSInfo {
	info := ceph.MDSInfo{GID: m.gid, Name: m.name, Rank: m.rank, State: ceph.MDSActive}
	switch {
	case m.volume == nil:
		info.State = ceph.MDSStandby
	case m.follows:
		info.State = ceph.MDSStandbyReplay
	}
	return info
}

func (m *mdss) sorted() []*mds {
	list := make([]*mds, 0, len(m.daemons))
	for _, name := range sortedKeys(m.daemons) {
		list = append(list, m.daemons[name])
	}
	return list
}

func (m *mdss) find(v *volume, rank int, follows bool) *mds {
	for _, daemon := range m.daemons {
		if daemon.volume == v && daemon.rank == rank && daemon.follows == follows {
			return daemon
		}
	}
	return nil
}

func (m *mdss) holder(v *volume, rank int) *mds { return m.find(v, rank, false) }

// settleMDS does what the mons do after each change: ranks above the wanted
// number end, those without a holder get one, and standbys follow where they may.
func (c *Cluster) settleMDS() {
	c.mdss.epoch++
	for _, name := range sortedKeys(c.volumes) {
		v := c.volumes[name]
		if v.settings.maxMDS == 0 || !v.settings.joinable {
			continue
		}
		c.shrink(v)
		for rank := range v.settings.maxMDS {
			if c.mdss.holder(v, rank) == nil && c.takeOver(v, rank) && !slices.Contains(v.settings.ranks, rank) {
				v.settings.ranks = append(v.settings.ranks, rank)
				v.settings.stopped = slices.DeleteFunc(v.settings.stopped, func(ended int) bool { return ended == rank })
			}
		}
	}
	for _, name := range sortedKeys(c.volumes) {
		v := c.volumes[name]
		if v.settings.standbys < 0 && len(v.settings.ranks) > 0 && c.standbyFor(v) != nil {
			v.settings.standbys = 1 // from the first spare one on
		}
		c.follow(v)
	}
}

func (c *Cluster) shrink(v *volume) {
	for _, daemon := range c.mdss.daemons {
		if daemon.volume == v && (daemon.rank >= v.settings.maxMDS || daemon.follows && !v.settings.replay) {
			daemon.leave()
		}
	}
	for _, rank := range v.settings.ranks {
		if rank >= v.settings.maxMDS {
			v.settings.stopped = append(v.settings.stopped, rank)
		}
	}
	v.settings.ranks = slices.DeleteFunc(v.settings.ranks, func(rank int) bool { return rank >= v.settings.maxMDS })
}

// takeOver gives a rank to who follows it, or to a standby.
func (c *Cluster) takeOver(v *volume, rank int) bool {
	if follower := c.mdss.find(v, rank, true); follower != nil {
		follower.follows = false
		return true
	}
	if standby := c.standbyFor(v); standby != nil {
		standby.volume, standby.rank = v, rank
		return true
	}
	return false
}

// standbyFor prefers a standby that is to join the file system.
func (c *Cluster) standbyFor(v *volume) *mds {
	var found *mds
	for _, daemon := range c.mdss.sorted() {
		join := c.config["mds."+daemon.name]["mds_join_fs"]
		switch {
		case daemon.volume != nil:
		case join == v.name:
			return daemon
		case found == nil || join == "":
			found = daemon
		}
	}
	return found
}

func (c *Cluster) follow(v *volume) {
	if !v.settings.replay {
		return
	}
	for _, rank := range v.settings.ranks {
		if c.mdss.holder(v, rank) == nil || c.mdss.find(v, rank, true) != nil {
			continue
		}
		if standby := c.standbyFor(v); standby != nil {
			standby.volume, standby.rank, standby.follows = v, rank, true
		}
	}
}

func mdsCommands() map[string]command {
	return map[string]command{
		"mds ok-to-stop": read("ids:list", (*call).mdsOKToStop),
		"mds metadata":   read("", (*call).mdsMetadata),
	}
}

func (c *call) mdsOKToStop() (any, error) {
	stopping := c.list("ids")
	active, standbys := 0, 0
	for _, daemon := range c.mdss.sorted() {
		stops := slices.Contains(stopping, daemon.name)
		serves := daemon.volume != nil && !daemon.follows
		switch {
		case stops && serves:
			active++
		case !stops && !serves:
			standbys++
		}
	}
	for _, v := range c.volumes {
		if slices.ContainsFunc(v.settings.ranks, func(rank int) bool { return c.mdss.holder(v, rank) == nil }) {
			return nil, refuse(errBusy, "one or more filesystems is currently degraded")
		}
	}
	if active > standbys {
		return nil, refuse(errBusy, "insufficient standby MDS daemons to stop %s", strings.Join(stopping, ","))
	}
	return nil, nil
}

func (c *call) mdsMetadata() (any, error) {
	list := []ceph.MDSMetadata{}
	for _, daemon := range c.mdss.sorted() {
		list = append(list, ceph.MDSMetadata{
			Name: daemon.name, Version: fullVersion(daemon.version), Short: daemon.version, Release: releaseName(daemon.version),
		})
	}
	return list, nil
}

// fsMapStatus is the part of the status about file systems.
func (c *Cluster) fsMapStatus(status *ceph.Status) {
	status.FSMap.Epoch = c.mdss.epoch
	status.FSMap.ByRank = []ceph.FSMapDaemon{}
	for _, daemon := range c.mdss.sorted() {
		if daemon.volume == nil {
			status.FSMap.UpStandby++
			continue
		}
		status.FSMap.ByRank = append(status.FSMap.ByRank, ceph.FSMapDaemon{
			FilesystemID: daemon.volume.id, Rank: daemon.rank, Name: daemon.name, Status: daemon.info().State, GID: daemon.gid,
		})
	}
}
