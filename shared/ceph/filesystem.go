package ceph

import (
	"context"
	"maps"
	"slices"
)

// FSMap is all file systems with the metadata servers that serve them.
type FSMap struct {
	Epoch    uint64 `json:"epoch"`
	Features struct {
		EnableMultiple bool `json:"enable_multiple"`
	} `json:"feature_flags"`
	Standbys    []MDSInfo     `json:"standbys"`
	Filesystems []FSMapVolume `json:"filesystems"`
}

// FSMapVolume is one file system in the map; its ID is never used again.
type FSMapVolume struct {
	ID  int    `json:"id"`
	Map MDSMap `json:"mdsmap"`
}

// MDSMap is how one file system is set and served.
type MDSMap struct {
	Name   string `json:"fs_name"`
	MaxMDS int    `json:"max_mds"`
	// In are the ranks that exist, Failed and Damaged those of them that nobody
	// holds. Stopped are the ranks that were and ended in order, which is all of
	// them when the file system was taken down.
	In      []int              `json:"in"`
	Failed  []int              `json:"failed"`
	Damaged []int              `json:"damaged"`
	Stopped []int              `json:"stopped"`
	Info    map[string]MDSInfo `json:"info"`
	// MetadataPool and DataPools are ids of pools.
	MetadataPool int   `json:"metadata_pool"`
	DataPools    []int `json:"data_pools"`
	// StandbyCountWanted below 0 leaves the number to Ceph.
	StandbyCountWanted int `json:"standby_count_wanted"`
	Flags              struct {
		Joinable           bool `json:"joinable"`
		AllowStandbyReplay bool `json:"allow_standby_replay"`
	} `json:"flags_state"`
}

// The states of a metadata server that this project asks for.
const (
	MDSActive        = "up:active"
	MDSStopping      = "up:stopping"
	MDSStandby       = "up:standby"
	MDSStandbyReplay = "up:standby-replay"
)

// MDSInfo is one metadata server. Rank is -1 for one that serves nobody.
type MDSInfo struct {
	GID   uint64 `json:"gid"`
	Name  string `json:"name"`
	Rank  int    `json:"rank"`
	State string `json:"state"`
}

// Daemons are the metadata servers of the file system, by rank and name; those
// that follow a rank come after the one that holds it.
func (m MDSMap) Daemons() []MDSInfo {
	return slices.SortedFunc(maps.Values(m.Info), func(a, b MDSInfo) int {
		switch {
		case a.Rank != b.Rank:
			return a.Rank - b.Rank
		case (a.State == MDSStandbyReplay) != (b.State == MDSStandbyReplay):
			if a.State == MDSStandbyReplay {
				return 1
			}
			return -1
		case a.Name < b.Name:
			return -1
		}
		return 1
	})
}

// Active counts the ranks that are served.
func (m MDSMap) Active() int {
	count := 0
	for _, daemon := range m.Info {
		if daemon.State == MDSActive {
			count++
		}
	}
	return count
}

// NeverServed tells whether the file system never had a rank, and so never held
// anything.
func (m MDSMap) NeverServed() bool { return len(m.In)+len(m.Stopped) == 0 }

// TakenDown tells whether somebody wants no rank to be served, as with `fs set
// down true`. Its subvolumes are still there.
func (m MDSMap) TakenDown() bool { return m.MaxMDS == 0 }

// Find returns the file system of a name, or nil.
func (m FSMap) Find(name string) *FSMapVolume {
	at := slices.IndexFunc(m.Filesystems, func(v FSMapVolume) bool { return v.Map.Name == name })
	if at < 0 {
		return nil
	}
	return &m.Filesystems[at]
}

// FSDump reads the map of all file systems.
func (c Client) FSDump(ctx context.Context) (FSMap, error) {
	return ask[FSMap](ctx, c.Mon, "fs dump", nil)
}

// FSNew makes a file system of two pools. The same again succeeds unchanged.
// Pools that hold objects, or belong to another file system, are ErrInvalid:
// the call never forces. ErrNotFound names a pool that is not there.
func (c Client) FSNew(ctx context.Context, name, metadata, data string) error {
	return do(ctx, c.Mon, "fs new", arguments{"fs_name": name, "metadata": metadata, "data": data})
}

// FSAddDataPool lets files be kept in one more pool. One that has it already, or
// that another file system has, is ErrInvalid.
func (c Client) FSAddDataPool(ctx context.Context, name, pool string) error {
	return do(ctx, c.Mon, "fs add_data_pool", arguments{"fs_name": name, "pool": pool})
}

// FSSet changes one setting: max_mds, allow_standby_replay, joinable, down,
// standby_count_wanted, ... From Ceph 19 on max_mds needs Really while the
// cluster is not healthy.
func (c Client) FSSet(ctx context.Context, name, setting, value string, answer Confirmation) error {
	args := arguments{"fs_name": name, "var": setting, "val": value}
	return do(ctx, c.Mon, "fs set", args.confirm("yes_i_really_mean_it", answer))
}

// FSEnableMultiple allows more than one file system in the cluster.
func (c Client) FSEnableMultiple(ctx context.Context) error {
	return do(ctx, c.Mon, "fs flag set", arguments{"flag_name": "enable_multiple", "val": "true", "yes_i_really_mean_it": true})
}

// FSFail takes all metadata servers off the file system and lets none join.
// From Ceph 19 on it needs Really while one of them complains.
func (c Client) FSFail(ctx context.Context, name string, answer Confirmation) error {
	return do(ctx, c.Mon, "fs fail", arguments{"fs_name": name}.confirm("yes_i_really_mean_it", answer))
}

// FSRemove forgets a file system; its files are lost for good, its pools stay.
// It is ErrInvalid while a metadata server serves it, and ErrDenied without
// Really. An unknown one succeeds.
func (c Client) FSRemove(ctx context.Context, name string, answer Confirmation) error {
	return do(ctx, c.Mon, "fs rm", arguments{"fs_name": name}.confirm("yes_i_really_mean_it", answer))
}

// FSClients counts who has the file system mounted, as the active mgr last heard
// of rank 0, which is some seconds ago. The mgr is among them for up to two
// minutes after it has looked inside for somebody, and so is a client that died,
// until its session ends. Nobody has one mounted that is not there.
func (c Client) FSClients(ctx context.Context, name string) (int, error) {
	status, err := ask[struct {
		Clients []struct {
			FS    string `json:"fs"`
			Count int    `json:"clients"`
		} `json:"clients"`
	}](ctx, c.Mgr, "fs status", arguments{"fs": name})
	if err != nil {
		return 0, err
	}
	for _, one := range status.Clients {
		if one.FS == name {
			return one.Count, nil
		}
	}
	return 0, nil
}

// MDSOKToStop returns nil when the metadata servers may stop together without a
// file system going without a rank. A refusal matches ErrBusy. One that nobody
// knows may stop.
func (c Client) MDSOKToStop(ctx context.Context, names ...string) error {
	return do(ctx, c.Mon, "mds ok-to-stop", arguments{"ids": names})
}

// MDSMetadata is what a metadata server told about itself when it began.
type MDSMetadata struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	Version  string `json:"ceph_version"`
	Short    string `json:"ceph_version_short"`
	Release  string `json:"ceph_release"`
}

// MDSMetadata reads what every metadata server told about itself.
func (c Client) MDSMetadata(ctx context.Context) ([]MDSMetadata, error) {
	return ask[[]MDSMetadata](ctx, c.Mon, "mds metadata", nil)
}
