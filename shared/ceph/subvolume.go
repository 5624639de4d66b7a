package ceph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// Volume is a file system as the mgr's volumes module and CSI know it.
type Volume struct {
	// ID is the file system's id (fscid), which is never used again.
	ID   int64
	Name string
	// MetadataPool and DataPools are ids of pools.
	MetadataPool int64
	DataPools    []int64
}

// Volumes reads all file systems.
func (c Client) Volumes(ctx context.Context) ([]Volume, error) {
	all, err := c.FSDump(ctx)
	if err != nil {
		return nil, err
	}
	volumes := make([]Volume, len(all.Filesystems))
	for i, one := range all.Filesystems {
		volumes[i] = Volume{ID: int64(one.ID), Name: one.Map.Name, MetadataPool: int64(one.Map.MetadataPool)}
		for _, pool := range one.Map.DataPools {
			volumes[i].DataPools = append(volumes[i].DataPools, int64(pool))
		}
	}
	return volumes, nil
}

// Subvolume names one subvolume of a file system.
type Subvolume struct {
	Volume string
	// Group is the subvolume group; empty is the default group.
	Group string
	Name  string
}

func (s Subvolume) arguments() arguments {
	args := arguments{"vol_name": s.Volume, "sub_name": s.Name}
	with(args, "group_name", s.Group)
	return args
}

// What SubvolumeInfo.State can be, besides states of a clone under way.
const (
	SubvolumeComplete = "complete"
	// SubvolumeRetained is a subvolume that was removed and whose snapshots remain.
	SubvolumeRetained = "snapshot-retained"
)

// SubvolumeInfo is what is known of a subvolume.
type SubvolumeInfo struct {
	// Path is the directory below the root of the file system.
	Path string `json:"path"`
	// State is SubvolumeComplete for one that can be used.
	State string `json:"state"`
	// Type is subvolume or clone.
	Type          string   `json:"type"`
	BytesQuota    Bytes    `json:"bytes_quota"`
	BytesUsed     uint64   `json:"bytes_used"`
	DataPool      string   `json:"data_pool"`
	PoolNamespace string   `json:"pool_namespace"`
	Features      []string `json:"features"`
}

// Bytes is a limit; 0 is none, which Ceph words as "infinite".
type Bytes uint64

// UnmarshalJSON reads a number or "infinite".
func (b *Bytes) UnmarshalJSON(body []byte) error {
	*b = 0
	if bytes.Equal(body, []byte(`"infinite"`)) {
		return nil
	}
	return json.Unmarshal(body, (*uint64)(b))
}

// SubvolumeSpec is a subvolume to create. Zero fields are left to Ceph.
type SubvolumeSpec struct {
	// Size is the quota in bytes.
	Size uint64
	// Pool takes the data.
	Pool string
}

// SubvolumeCreate makes a subvolume, ErrNotFound without the file system or
// the group, and ErrInvalid for a pool that is no data pool. On one that exists it
// sets quota and mode anew: look with SubvolumeInfo first.
func (c Client) SubvolumeCreate(ctx context.Context, at Subvolume, spec SubvolumeSpec) error {
	args := at.arguments()
	with(args, "size", spec.Size)
	with(args, "pool_layout", spec.Pool)
	return do(ctx, c.Mgr, "fs subvolume create", args)
}

// SubvolumeInfo looks at a subvolume. ErrNotFound says that the file system,
// the group or the subvolume is not there, ErrAgain that it is a clone that is
// not complete.
func (c Client) SubvolumeInfo(ctx context.Context, at Subvolume) (SubvolumeInfo, error) {
	return ask[SubvolumeInfo](ctx, c.Mgr, "fs subvolume info", at.arguments())
}

// SubvolumePath reads only the directory of a subvolume.
func (c Client) SubvolumePath(ctx context.Context, at Subvolume) (string, error) {
	reply, err := raw(ctx, c.Mgr, Command{Prefix: "fs subvolume getpath", Args: at.arguments()})
	if err != nil {
		return "", err
	}
	path := plainText(reply.Body)
	if path == "" {
		return "", fmt.Errorf("decode reply of %q: %w", "fs subvolume getpath", errEmptyReply)
	}
	return path, nil
}

// SubvolumeResize sets the quota in bytes. A quota below what is used is
// ErrInvalid; one below the former quota is not refused.
func (c Client) SubvolumeResize(ctx context.Context, at Subvolume, size uint64) error {
	args := at.arguments()
	args["new_size"] = strconv.FormatUint(size, 10)
	args["no_shrink"] = true
	return do(ctx, c.Mgr, "fs subvolume resize", args)
}

// SubvolumeRemoval says how much of a subvolume goes.
type SubvolumeRemoval int

const (
	// RemoveEmpty refuses with ErrNotEmpty while there are snapshots.
	RemoveEmpty SubvolumeRemoval = iota
	// KeepSnapshots removes the data of the subvolume and leaves its snapshots;
	// with the last of them the rest goes.
	KeepSnapshots
	// RemoveUnfinished also removes a clone that failed or was cancelled.
	RemoveUnfinished
)

// SubvolumeRemove moves a subvolume to the trash, which the mgr empties in the
// background. ErrNotFound says that it is not there; RemoveUnfinished does not
// tell, and neither does KeepSnapshots when snapshots are all that is left.
func (c Client) SubvolumeRemove(ctx context.Context, at Subvolume, how SubvolumeRemoval) error {
	args := at.arguments()
	switch how {
	case RemoveEmpty:
	case KeepSnapshots:
		args["retain_snapshots"] = true
	case RemoveUnfinished:
		args["force"] = true
	}
	return do(ctx, c.Mgr, "fs subvolume rm", args)
}

type named struct {
	Name string `json:"name"`
}

func namesOf(list []named) []string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return names
}

// SubvolumeList reads the names of the subvolumes of a group.
func (c Client) SubvolumeList(ctx context.Context, volume, group string) ([]string, error) {
	args := arguments{"vol_name": volume}
	with(args, "group_name", group)
	list, err := ask[[]named](ctx, c.Mgr, "fs subvolume ls", args)
	return namesOf(list), err
}
