//go:build librados && integration

package librados_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// TestTheFakeActsLikeCephWithFileSystems plays the life of a file system, from
// its pools to its end.
func TestTheFakeActsLikeCephWithFileSystems(t *testing.T) {
	versions := map[string]string{"reef": "18.2.7", "tentacle": "20.2.4"}
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			version, known := versions[release]
			if !known {
				t.Skipf("no version known for %s", release)
			}
			fake := cephtest.New(t, cephtest.Version(version), cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(2), cephtest.MDSs("f-a", "f-b", "f-c"))
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(2), real.MDSs("f-a", "f-b", "f-c"))
			for _, one := range slices.Concat(newFilesystemScenes(), rankScenes(), groupScenes(), endScenes()) {
				compare(t, one, fake, cluster)
			}
		})
	}
}

// served is the part of a file system that does not depend on chance.
func served(ctx context.Context, c ceph.Client) (any, error) {
	dump, err := c.FSDump(ctx)
	found := dump.Find("f")
	if found == nil {
		return []any{"none", len(dump.Standbys)}, err
	}
	m := found.Map
	states := map[string]int{}
	for _, daemon := range m.Daemons() {
		states[daemon.State]++
	}
	ranks := slices.Sorted(slices.Values(m.In))
	return []any{m.MaxMDS, ranks, len(m.Failed), len(m.DataPools), states, m.Active(), m.StandbyCountWanted,
		m.Flags.Joinable, m.Flags.AllowStandbyReplay, len(dump.Standbys)}, err
}

// stopped waits until no surplus rank is left, which takes a real metadata
// server some seconds.
func stopped(ctx context.Context, c ceph.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		dump, err := c.FSDump(ctx)
		if err != nil {
			return err
		}
		if m := dump.Find("f").Map; len(m.In) <= m.MaxMDS {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func newFilesystemScenes() []scene {
	pool := func(name string) scene {
		return call("pool "+name, func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: name, PGNum: 4, Size: 2, AutoscaleMode: "off"}, ceph.Unconfirmed)
		})
	}
	create := func(name, fs, metadata, data string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.FSNew(ctx, fs, metadata, data) })
	}
	add := func(name, fs, pool string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.FSAddDataPool(ctx, fs, pool) })
	}
	return []scene{
		settled("three standbys", served),
		pool("m"), pool("d"), pool("e"), pool("g"),
		call("profile", func(ctx context.Context, c ceph.Client) error {
			return c.ErasureCodeProfileSet(ctx, "ec", ceph.ErasureCodeProfile{"k": "2", "m": "1", "crush-failure-domain": "osd"})
		}),
		call("erasure pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "x", PGNum: 4, ErasureCodeProfile: "ec", AutoscaleMode: "off"}, ceph.Unconfirmed)
		}),
		create("no pools", "f", "nothing", "nothing"),
		create("data is erasure coded", "f", "m", "x"),
		create("file system", "f", "m", "d"),
		create("file system again", "f", "m", "d"),
		create("of other pools", "f", "e", "g"),
		create("of pools in use", "h", "m", "d"),
		create("of data in use", "h", "e", "d"),
		add("data pool", "f", "e"),
		add("data pool again", "f", "e"),
		add("metadata as data", "f", "m"),
		add("data pool of nothing", "f", "nothing"),
		add("data pool to nothing", "h", "g"),
		call("several", func(ctx context.Context, c ceph.Client) error { return c.FSEnableMultiple(ctx) }),
		settled("one rank is served", served),
		settled("nobody has it mounted", func(ctx context.Context, c ceph.Client) (any, error) { return c.FSClients(ctx, "f") }),
		fact("nobody has nothing mounted", func(ctx context.Context, c ceph.Client) (any, error) { return c.FSClients(ctx, "h") }),
		fact("its pools", func(ctx context.Context, c ceph.Client) (any, error) { return c.FSList(ctx) }),
		fact("what its pools are for", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolList(ctx)
			tags := map[string]any{}
			for _, p := range list {
				if len(p.Name) == 1 {
					tags[p.Name] = []any{p.ApplicationMetadata, p.Options["pg_autoscale_bias"], p.Options["pg_num_min"], p.Options["recovery_priority"]}
				}
			}
			return tags, err
		}),
		call("pool in use goes", func(ctx context.Context, c ceph.Client) error {
			if err := c.ConfigSet(ctx, "mon", "mon_allow_pool_delete", "true"); err != nil {
				return err
			}
			return c.PoolDelete(ctx, "d", ceph.Really)
		}),
	}
}

func rankScenes() []scene {
	set := func(name, setting, value string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error {
			return c.FSSet(ctx, "f", setting, value, ceph.Really)
		})
	}
	// Who holds which rank is left to chance, so it is asked for.
	stop := func(name string, pick func(ceph.FSMap) []string) scene {
		return settledCall(name, func(ctx context.Context, c ceph.Client) error {
			dump, err := c.FSDump(ctx)
			if err != nil {
				return err
			}
			return c.MDSOKToStop(ctx, pick(dump)...)
		})
	}
	serving := func(dump ceph.FSMap) []string {
		var list []string
		for _, daemon := range dump.Find("f").Map.Daemons() {
			list = append(list, daemon.Name)
		}
		return list
	}
	return []scene{
		set("no ranks", "max_mds", "0"), set("too many ranks", "max_mds", "300"), set("unknown setting", "colour", "red"),
		set("neither true nor false", "allow_standby_replay", "maybe"),
		set("replay", "allow_standby_replay", "true"),
		settled("one follows", served),
		set("no replay", "allow_standby_replay", "false"),
		settled("nobody follows", served),
		set("standbys wanted", "standby_count_wanted", "0"),
		set("two ranks", "max_mds", "2"),
		settled("two ranks are served", served),
		stop("one of two may stop", func(dump ceph.FSMap) []string { return serving(dump)[:1] }),
		stop("two of two may not stop", serving),
		stop("a standby may stop", func(dump ceph.FSMap) []string { return []string{dump.Standbys[0].Name} }),
		stop("a stranger may stop", func(ceph.FSMap) []string { return []string{"stranger"} }),
		set("one rank", "max_mds", "1"),
		call("the other ends", stopped),
		settled("one rank is left", served),
		settled("metadata", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.MDSMetadata(ctx)
			var names []string
			for _, one := range list {
				names = append(names, one.Name+" "+one.Short+" "+one.Release)
			}
			return slices.Sorted(slices.Values(names)), err
		}),
		settled("status", func(ctx context.Context, c ceph.Client) (any, error) {
			status, err := c.Status(ctx)
			var ranks []any
			for _, daemon := range status.FSMap.ByRank {
				ranks = append(ranks, daemon.Rank, daemon.Status, daemon.FilesystemID)
			}
			return []any{ranks, status.FSMap.UpStandby, status.FSMap.Epoch > 0}, err
		}),
	}
}

func groupScenes() []scene {
	info := func(name string) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) { return c.SubvolumeGroupInfo(ctx, "f", name) }
	}
	create := func(name, fs, group string, spec ceph.SubvolumeGroupSpec) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.SubvolumeGroupCreate(ctx, fs, group, spec) })
	}
	size := func(name, group string, size uint64) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.SubvolumeGroupResize(ctx, "f", group, size) })
	}
	pin := func(name, group, kind, setting string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error {
			return c.SubvolumeGroupPin(ctx, "f", group, kind, setting)
		})
	}
	remove := func(name, group string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.SubvolumeGroupRemove(ctx, "f", group) })
	}
	list := func(ctx context.Context, c ceph.Client) (any, error) {
		names, err := c.SubvolumeGroupList(ctx, "f")
		return slices.Sorted(slices.Values(names)), err
	}
	inGroup := ceph.Subvolume{Volume: "f", Group: "q", Name: "s"}
	return []scene{
		fact("no groups", list),
		fact("groups of nothing", func(ctx context.Context, c ceph.Client) (any, error) { return c.SubvolumeGroupList(ctx, "h") }),
		fact("unknown group", info("csi")),
		create("group", "f", "csi", ceph.SubvolumeGroupSpec{}),
		create("group again", "f", "csi", ceph.SubvolumeGroupSpec{}),
		create("group of nothing", "h", "csi", ceph.SubvolumeGroupSpec{}),
		fact("group read", info("csi")),
		create("group with quota", "f", "q", ceph.SubvolumeGroupSpec{Size: 1 << 30, Pool: "e"}),
		create("group of no pool", "f", "r", ceph.SubvolumeGroupSpec{Pool: "nothing"}),
		fact("group with quota read", info("q")),
		fact("both groups", list),
		size("quota", "q", 2<<30), size("quota of nothing", "nothing", 1),
		fact("quota read", info("q")),
		size("no quota", "q", 0),
		fact("no quota read", info("q")),
		pin("distributed", "q", ceph.PinDistributed, "1"), pin("to no rank", "q", ceph.PinExport, "-1"),
		pin("random", "q", ceph.PinRandom, "0.01"), pin("too random", "q", ceph.PinRandom, "0.5"),
		pin("nothing", "nothing", ceph.PinExport, "0"),
		call("subvolume", func(ctx context.Context, c ceph.Client) error {
			return c.SubvolumeCreate(ctx, inGroup, ceph.SubvolumeSpec{})
		}),
		remove("group in use goes", "q"), remove("unknown group goes", "nothing"),
		call("subvolume goes", func(ctx context.Context, c ceph.Client) error {
			return c.SubvolumeRemove(ctx, inGroup, ceph.RemoveEmpty)
		}),
		remove("group goes", "q"),
		fact("one group is left", list),
	}
}

func endScenes() []scene {
	end := func(name, fs string, answer ceph.Confirmation) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.FSRemove(ctx, fs, answer) })
	}
	fail := func(name, fs string) scene {
		return call(name, func(ctx context.Context, c ceph.Client) error { return c.FSFail(ctx, fs, ceph.Really) })
	}
	return []scene{
		end("a served one goes", "f", ceph.Really),
		fail("fail nothing", "h"), fail("fail", "f"), fail("fail again", "f"),
		settled("nobody serves", served),
		settledCall("degraded", func(ctx context.Context, c ceph.Client) error { return c.MDSOKToStop(ctx, "f-a") }),
		call("joinable", func(ctx context.Context, c ceph.Client) error {
			return c.FSSet(ctx, "f", "joinable", "true", ceph.Unconfirmed)
		}),
		settled("served again", served),
		fail("fail at last", "f"),
		end("without confirmation", "f", ceph.Unconfirmed),
		end("gone", "f", ceph.Really), end("gone twice", "f", ceph.Really),
		call("of the same pools", func(ctx context.Context, c ceph.Client) error { return c.FSNew(ctx, "f", "m", "d") }),
		fact("what is left of its pools", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolList(ctx)
			tags := map[string]any{}
			for _, p := range list {
				if len(p.Name) == 1 {
					tags[p.Name] = p.ApplicationMetadata
				}
			}
			return tags, err
		}),
		call("data pool goes", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "d", ceph.Really) }),
	}
}
