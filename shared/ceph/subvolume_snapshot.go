package ceph

import (
	"context"
	"fmt"
	"time"
)

// snapshotTime is how the volumes module writes times, in UTC.
const snapshotTime = "2006-01-02 15:04:05.999999"

// SubvolumeSnapshot is what is known of a snapshot of a subvolume.
type SubvolumeSnapshot struct {
	CreatedAt time.Time
	DataPool  string
	// PendingClones tells that clones of it are under way, which keep it.
	PendingClones bool
}

func (s Subvolume) snapshot(name string) arguments {
	args := s.arguments()
	args["snap_name"] = name
	return args
}

// SnapshotCreate takes a snapshot of a subvolume. One of that name that exists
// is left as it is.
func (c Client) SnapshotCreate(ctx context.Context, at Subvolume, name string) error {
	return do(ctx, c.Mgr, "fs subvolume snapshot create", at.snapshot(name))
}

// SnapshotInfo looks at a snapshot, ErrNotFound if there is none.
func (c Client) SnapshotInfo(ctx context.Context, at Subvolume, name string) (SubvolumeSnapshot, error) {
	const prefix = "fs subvolume snapshot info"
	type reply struct {
		CreatedAt     string `json:"created_at"`
		DataPool      string `json:"data_pool"`
		PendingClones string `json:"has_pending_clones"`
	}
	got, err := ask[reply](ctx, c.Mgr, prefix, at.snapshot(name))
	if err != nil {
		return SubvolumeSnapshot{}, err
	}
	created, err := time.Parse(snapshotTime, got.CreatedAt)
	if err != nil {
		return SubvolumeSnapshot{}, fmt.Errorf("decode reply of %q: %w", prefix, err)
	}
	return SubvolumeSnapshot{CreatedAt: created, DataPool: got.DataPool, PendingClones: got.PendingClones == "yes"}, nil
}

// SnapshotList reads the names of the snapshots of a subvolume.
func (c Client) SnapshotList(ctx context.Context, at Subvolume) ([]string, error) {
	list, err := ask[[]named](ctx, c.Mgr, "fs subvolume snapshot ls", at.arguments())
	return namesOf(list), err
}

// SnapshotRemove removes a snapshot: ErrNotFound if there is none, ErrAgain
// while clones of it are under way. A subvolume that was kept only for its
// snapshots goes with the last of them.
func (c Client) SnapshotRemove(ctx context.Context, at Subvolume, name string) error {
	return do(ctx, c.Mgr, "fs subvolume snapshot rm", at.snapshot(name))
}

// SnapshotClone begins to copy a snapshot into a new subvolume of the same file
// system, whose data goes to pool, or to where the snapshot has it if pool is empty.
// ErrExists says that the target is there, also unfinished.
func (c Client) SnapshotClone(ctx context.Context, at Subvolume, name string, target Subvolume, pool string) error {
	args := at.snapshot(name)
	args["target_sub_name"] = target.Name
	with(args, "target_group_name", target.Group)
	with(args, "pool_layout", pool)
	return do(ctx, c.Mgr, "fs subvolume snapshot clone", args)
}

// What Clone.State can be.
const (
	ClonePending    = "pending"
	CloneInProgress = "in-progress"
	CloneComplete   = "complete"
	CloneFailed     = "failed"
	CloneCanceled   = "canceled"
)

// Clone is how far a copy of a snapshot is.
type Clone struct {
	State string `json:"state"`
	// Failure says why a failed clone failed.
	Failure struct {
		Message string `json:"error_msg"`
	} `json:"failure"`
}

// CloneStatus reads how far a clone is: ErrUnsupported for a subvolume that is
// no clone.
func (c Client) CloneStatus(ctx context.Context, at Subvolume) (Clone, error) {
	type reply struct {
		Status Clone `json:"status"`
	}
	args := arguments{"vol_name": at.Volume, "clone_name": at.Name}
	with(args, "group_name", at.Group)
	got, err := ask[reply](ctx, c.Mgr, "fs clone status", args)
	return got.Status, err
}

// CloneCancel ends a clone that is under way, ErrInvalid if it ended already.
func (c Client) CloneCancel(ctx context.Context, at Subvolume) error {
	args := arguments{"vol_name": at.Volume, "clone_name": at.Name}
	with(args, "group_name", at.Group)
	return do(ctx, c.Mgr, "fs clone cancel", args)
}
