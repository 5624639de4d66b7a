//go:build librados && integration

package librados_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// TestTheFakeActsLikeTheVolumesModule plays calls on file systems, which take
// metadata servers to answer.
func TestTheFakeActsLikeTheVolumesModule(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			fake := cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(2), cephtest.Volumes("myfs"))
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(2), real.MDSs("m"))
			cluster.AddFilesystem("myfs")
			_, err := cluster.Client().Mgr(t.Context(), ceph.Command{
				Prefix: "fs subvolumegroup create", Args: map[string]any{"vol_name": "myfs", "group_name": "csi"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range slices.Concat(subvolumeScenes(), snapshotScenes(), cloneScenes()) {
				compare(t, one, fake, cluster)
			}
		})
	}
}

func in(name string) ceph.Subvolume { return ceph.Subvolume{Volume: "myfs", Group: "csi", Name: name} }

func subvolume(at ceph.Subvolume) func(ctx context.Context, c ceph.Client) (any, error) {
	return func(ctx context.Context, c ceph.Client) (any, error) {
		info, err := c.SubvolumeInfo(ctx, at)
		info.Path = info.Path[:max(0, strings.LastIndex(info.Path, "/"))]
		return info, err
	}
}

func create(at ceph.Subvolume, spec ceph.SubvolumeSpec) func(ctx context.Context, c ceph.Client) error {
	return func(ctx context.Context, c ceph.Client) error { return c.SubvolumeCreate(ctx, at, spec) }
}

func resize(at ceph.Subvolume, size uint64) func(ctx context.Context, c ceph.Client) error {
	return func(ctx context.Context, c ceph.Client) error { return c.SubvolumeResize(ctx, at, size) }
}

func remove(at ceph.Subvolume, how ceph.SubvolumeRemoval) func(ctx context.Context, c ceph.Client) error {
	return func(ctx context.Context, c ceph.Client) error { return c.SubvolumeRemove(ctx, at, how) }
}

func subvolumeScenes() []scene {
	elsewhere, ungrouped := ceph.Subvolume{Volume: "nofs", Group: "csi", Name: "a"}, ceph.Subvolume{Volume: "myfs", Group: "nogroup", Name: "a"}
	return []scene{
		fact("volumes", func(ctx context.Context, c ceph.Client) (any, error) { return c.Volumes(ctx) }),
		call("subvolume of no file system", create(elsewhere, ceph.SubvolumeSpec{})),
		call("subvolume of no group", create(ungrouped, ceph.SubvolumeSpec{})),
		call("subvolume", create(in("a"), ceph.SubvolumeSpec{Size: 1 << 30})),
		fact("subvolume read", subvolume(in("a"))),
		call("subvolume again with another size", create(in("a"), ceph.SubvolumeSpec{Size: 2 << 30})),
		fact("subvolume was changed", subvolume(in("a"))),
		call("subvolume in no pool", create(in("b"), ceph.SubvolumeSpec{Pool: "nopool"})),
		call("subvolume without quota in a pool", create(in("c"), ceph.SubvolumeSpec{Pool: "myfs-data"})),
		fact("subvolume without quota read", subvolume(in("c"))),
		fact("no subvolume", subvolume(in("nothing"))),
		fact("no group", subvolume(ungrouped)),
		fact("no file system", subvolume(elsewhere)),
		fact("path", func(ctx context.Context, c ceph.Client) (any, error) {
			path, err := c.SubvolumePath(ctx, in("a"))
			return strings.HasPrefix(path, "/volumes/csi/a/"), err
		}),
		fact("path of nothing", func(ctx context.Context, c ceph.Client) (any, error) { return c.SubvolumePath(ctx, in("nothing")) }),
		fact("subvolumes", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.SubvolumeList(ctx, "myfs", "csi")
			slices.Sort(list)
			return list, err
		}),
		fact("subvolumes of no group", func(ctx context.Context, c ceph.Client) (any, error) { return c.SubvolumeList(ctx, "myfs", "nogroup") }),
		call("larger", resize(in("a"), 3<<30)),
		call("smaller", resize(in("a"), 1<<30)),
		fact("smaller read", subvolume(in("a"))),
		call("size 0", resize(in("a"), 0)),
		call("size of nothing", resize(in("nothing"), 1<<30)),
	}
}

func snapshotScenes() []scene {
	take := func(at ceph.Subvolume, name string) func(ctx context.Context, c ceph.Client) error {
		return func(ctx context.Context, c ceph.Client) error { return c.SnapshotCreate(ctx, at, name) }
	}
	drop := func(at ceph.Subvolume, name string) func(ctx context.Context, c ceph.Client) error {
		return func(ctx context.Context, c ceph.Client) error { return c.SnapshotRemove(ctx, at, name) }
	}
	look := func(at ceph.Subvolume, name string) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) {
			info, err := c.SnapshotInfo(ctx, at, name)
			return []any{info.DataPool, info.PendingClones, info.CreatedAt.IsZero()}, err
		}
	}
	return []scene{
		call("snapshot", take(in("a"), "s1")),
		call("snapshot again", take(in("a"), "s1")),
		call("snapshot of nothing", take(in("nothing"), "s1")),
		fact("snapshot read", look(in("a"), "s1")),
		fact("no snapshot", look(in("a"), "s9")),
		fact("snapshots", func(ctx context.Context, c ceph.Client) (any, error) { return c.SnapshotList(ctx, in("a")) }),
		call("remove with snapshots", remove(in("a"), ceph.RemoveEmpty)),
		call("remove and keep snapshots", remove(in("a"), ceph.KeepSnapshots)),
		call("remove and keep snapshots again", remove(in("a"), ceph.KeepSnapshots)),
		fact("removed with snapshots", subvolume(in("a"))),
		fact("path of what was removed", func(ctx context.Context, c ceph.Client) (any, error) { return c.SubvolumePath(ctx, in("a")) }),
		fact("snapshot of what was removed", look(in("a"), "s1")),
		call("snapshot of what was removed goes", drop(in("a"), "s1")),
		call("and with it all", drop(in("a"), "s1")),
		call("no snapshot goes", drop(in("c"), "s9")),
		call("remove", remove(in("c"), ceph.KeepSnapshots)),
		call("remove twice", remove(in("c"), ceph.KeepSnapshots)),
		call("remove twice by force", remove(in("c"), ceph.RemoveUnfinished)),
		call("remove from no group", remove(ceph.Subvolume{Volume: "myfs", Group: "nogroup", Name: "c"}, ceph.RemoveEmpty)),
	}
}

func cloneScenes() []scene {
	copied := func(snapshot, target, pool string) func(ctx context.Context, c ceph.Client) error {
		return func(ctx context.Context, c ceph.Client) error {
			return c.SnapshotClone(ctx, in("o"), snapshot, in(target), pool)
		}
	}
	state := func(name string) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) {
			clone, err := c.CloneStatus(ctx, in(name))
			return clone.State, err
		}
	}
	return []scene{
		call("origin", create(in("o"), ceph.SubvolumeSpec{Size: 1 << 30})),
		call("snapshot of the origin", func(ctx context.Context, c ceph.Client) error { return c.SnapshotCreate(ctx, in("o"), "s") }),
		call("clone", copied("s", "cl", "")),
		call("clone again", copied("s", "cl", "")),
		call("clone of nothing", copied("s9", "cl2", "")),
		call("clone into no pool", copied("s", "cl3", "nopool")),
		settled("clone is complete", state("cl")),
		fact("clone read", subvolume(in("cl"))),
		fact("state of what is no clone", state("o")),
		fact("state of nothing", state("nothing")),
		call("cancel what is complete", func(ctx context.Context, c ceph.Client) error { return c.CloneCancel(ctx, in("cl")) }),
		settledCall("snapshot goes", func(ctx context.Context, c ceph.Client) error { return c.SnapshotRemove(ctx, in("o"), "s") }),
		call("clone goes", remove(in("cl"), ceph.RemoveEmpty)),
	}
}
