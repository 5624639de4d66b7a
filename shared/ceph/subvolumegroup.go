package ceph

import (
	"context"
	"strconv"
)

// SubvolumeGroup is what is known of a group of subvolumes.
type SubvolumeGroup struct {
	// BytesQuota limits all subvolumes together; 0 is none.
	BytesQuota Bytes  `json:"bytes_quota"`
	BytesUsed  uint64 `json:"bytes_used"`
	DataPool   string `json:"data_pool"`
}

// SubvolumeGroupSpec is a group to create. Zero fields are left to Ceph.
type SubvolumeGroupSpec struct {
	// Size is the quota in bytes.
	Size uint64
	// Pool takes the data.
	Pool string
}

func group(volume, name string) arguments {
	return arguments{"vol_name": volume, "group_name": name}
}

// SubvolumeGroupList reads the names of the groups of a file system.
func (c Client) SubvolumeGroupList(ctx context.Context, volume string) ([]string, error) {
	list, err := ask[[]named](ctx, c.Mgr, "fs subvolumegroup ls", arguments{"vol_name": volume})
	return namesOf(list), err
}

// SubvolumeGroupInfo looks at a group. ErrNotFound says that the file system or
// the group is not there.
func (c Client) SubvolumeGroupInfo(ctx context.Context, volume, name string) (SubvolumeGroup, error) {
	return ask[SubvolumeGroup](ctx, c.Mgr, "fs subvolumegroup info", group(volume, name))
}

// SubvolumeGroupCreate makes a group, ErrNotFound without the file system and
// ErrInvalid for a pool that is no data pool. On one that exists it sets quota
// and pool anew: look with SubvolumeGroupInfo first.
func (c Client) SubvolumeGroupCreate(ctx context.Context, volume, name string, spec SubvolumeGroupSpec) error {
	args := group(volume, name)
	with(args, "size", spec.Size)
	with(args, "pool_layout", spec.Pool)
	return do(ctx, c.Mgr, "fs subvolumegroup create", args)
}

// SubvolumeGroupResize sets the quota in bytes, or removes it for 0. A quota
// below what is used is ErrInvalid.
func (c Client) SubvolumeGroupResize(ctx context.Context, volume, name string, size uint64) error {
	args := group(volume, name)
	args["new_size"] = "inf"
	if size > 0 {
		args["new_size"] = strconv.FormatUint(size, 10)
		args["no_shrink"] = true
	}
	return do(ctx, c.Mgr, "fs subvolumegroup resize", args)
}

// The ways to pin a group to metadata servers.
const (
	PinExport      = "export"
	PinDistributed = "distributed"
	PinRandom      = "random"
)

// SubvolumeGroupPin says which metadata servers work for a group. A random pin
// above what Ceph's mds_export_ephemeral_random_max allows is ErrInvalid.
func (c Client) SubvolumeGroupPin(ctx context.Context, volume, name, kind, setting string) error {
	args := group(volume, name)
	args["pin_type"], args["pin_setting"] = kind, setting
	return do(ctx, c.Mgr, "fs subvolumegroup pin", args)
}

// SubvolumeGroupRemove removes a group. It is ErrNotEmpty while it holds
// subvolumes or snapshots of such, ErrNotFound if it is not there.
func (c Client) SubvolumeGroupRemove(ctx context.Context, volume, name string) error {
	return do(ctx, c.Mgr, "fs subvolumegroup rm", group(volume, name))
}
