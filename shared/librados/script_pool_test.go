//go:build librados && integration

package librados_test

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func pool(name string) func(ctx context.Context, c ceph.Client) (any, error) {
	return func(ctx context.Context, c ceph.Client) (any, error) {
		list, err := c.PoolList(ctx)
		for _, p := range list {
			if p.Name == name {
				return []any{p.Type, p.Size, p.MinSize, p.PGNumTarget, p.PGAutoscaleMode, p.QuotaMaxBytes, p.QuotaMaxObjects,
					p.ErasureCodeProfile, p.ApplicationMetadata, p.Options}, err
			}
		}
		return "none", err
	}
}

func idOf(pools []ceph.Pool, name string) int {
	at := slices.IndexFunc(pools, func(p ceph.Pool) bool { return p.Name == name })
	if at < 0 {
		return -1
	}
	return pools[at].ID
}

func poolScenes() []scene {
	small := ceph.PoolSpec{Name: "p", PGNum: 8, Size: 3, Rule: "r1", AutoscaleMode: "off"}
	return []scene{
		call("pool", func(ctx context.Context, c ceph.Client) error { return c.PoolCreate(ctx, small, ceph.Unconfirmed) }),
		call("pool again", func(ctx context.Context, c ceph.Client) error { return c.PoolCreate(ctx, small, ceph.Unconfirmed) }),
		call("pool of another type", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "p", ErasureCodeProfile: "default"}, ceph.Unconfirmed)
		}),
		fact("pool read", pool("p")),
		call("pool with a dot", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: ".q", PGNum: 1, AutoscaleMode: "off"}, ceph.Unconfirmed)
		}),
		call("pool of no rule", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "q", PGNum: 1, Rule: "r9"}, ceph.Unconfirmed)
		}),
		call("pool of no profile", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "q", PGNum: 1, ErasureCodeProfile: "nothing"}, ceph.Unconfirmed)
		}),
		call("rule in use", func(ctx context.Context, c ceph.Client) error { return c.CrushRuleRemove(ctx, "r1") }),
		call("second pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "s", PGNum: 4, Size: 2, AutoscaleMode: "off", PGNumMin: 4, PGNumMax: 16}, ceph.Unconfirmed)
		}),
		fact("second pool read", pool("s")),
		fact("the id of a pool is the same in the list and in the map", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolList(ctx)
			dump, dumpErr := c.OSDDump(ctx)
			return []bool{idOf(list, "s") > 0, idOf(list, "s") == idOf(dump.Pools, "s")}, errors.Join(err, dumpErr)
		}),
		fact("pool names", func(ctx context.Context, c ceph.Client) (any, error) {
			names, err := c.PoolNames(ctx)
			return slices.DeleteFunc(names, func(name string) bool { return name == ".mgr" }), err
		}),
		call("rename onto another", func(ctx context.Context, c ceph.Client) error { return c.PoolRename(ctx, "s", "p") }),
		call("rename", func(ctx context.Context, c ceph.Client) error { return c.PoolRename(ctx, "s", "t") }),
		call("rename again", func(ctx context.Context, c ceph.Client) error { return c.PoolRename(ctx, "s", "t") }),
		call("rename of nothing", func(ctx context.Context, c ceph.Client) error { return c.PoolRename(ctx, "u", "v") }),
		call("delete without confirmation", func(ctx context.Context, c ceph.Client) error {
			return c.PoolDelete(ctx, "t", ceph.Unconfirmed)
		}),
		call("deletion is forbidden", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "mon", "mon_allow_pool_delete", "false")
		}),
		settledCall("delete while forbidden", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "t", ceph.Really) }),
		call("deletion is allowed", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "mon", "mon_allow_pool_delete", "true")
		}),
		settledCall("delete", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "t", ceph.Really) }),
		call("delete twice", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "t", ceph.Really) }),
		call("pool with a least number of PGs", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "q", AutoscaleMode: "on", PGNumMin: 8}, ceph.Unconfirmed)
		}),
		fact("pool with a least number of PGs read", pool("q")),
		settledCall("delete it", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "q", ceph.Really) }),
	}
}

func settledCall(name string, do func(ctx context.Context, c ceph.Client) error) scene {
	one := call(name, do)
	one.settles = true
	return one
}

// targetSize reads target_size_bytes as a number: the fake prints it as one that
// may have a fraction.
func targetSize(ctx context.Context, c ceph.Client) (any, error) {
	s, err := c.PoolGet(ctx, "p")
	size, _ := strconv.ParseFloat(s.Settings["target_size_bytes"], 64)
	return size, err
}

func settingScenes() []scene {
	set := func(name, value string, answer ceph.Confirmation) func(ctx context.Context, c ceph.Client) error {
		return func(ctx context.Context, c ceph.Client) error { return c.PoolSet(ctx, "p", name, value, answer) }
	}
	return []scene{
		fact("settings", func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.PoolGet(ctx, "p")
			return []any{s.Pool, s.Size, s.MinSize, s.PGNum, s.CrushRule, s.Settings["hashpspool"], s.Settings["nodelete"],
				s.Settings["pg_autoscale_mode"], s.Settings["bulk"]}, err
		}),
		fact("settings of no pool", func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.PoolGet(ctx, "nothing")
			return s.Pool, err
		}),
		call("size 2", set("size", "2", ceph.Unconfirmed)),
		call("size 1 while forbidden", set("size", "1", ceph.Really)),
		call("size 0", set("size", "0", ceph.Unconfirmed)),
		call("size of no number", set("size", "two", ceph.Unconfirmed)),
		call("min_size above size", set("min_size", "3", ceph.Unconfirmed)),
		call("min_size 1", set("min_size", "1", ceph.Unconfirmed)),
		call("size 3", set("size", "3", ceph.Unconfirmed)),
		call("min_size 2", set("min_size", "2", ceph.Unconfirmed)),
		call("rule of nothing", set("crush_rule", "r9", ceph.Unconfirmed)),
		call("rule", set("crush_rule", "replicated_rule", ceph.Unconfirmed)),
		call("unknown setting", set("colour", "red", ceph.Unconfirmed)),
		call("setting of no pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolSet(ctx, "nothing", "size", "2", ceph.Unconfirmed)
		}),
		call("compression", set("compression_mode", "aggressive", ceph.Unconfirmed)),
		call("more PGs at least than there are", set("pg_num_min", "256", ceph.Unconfirmed)),
		call("autoscale mode", set("pg_autoscale_mode", "warn", ceph.Unconfirmed)),
		call("autoscale mode of nothing", set("pg_autoscale_mode", "maybe", ceph.Unconfirmed)),
		call("flag", set("nodelete", "true", ceph.Unconfirmed)),
		call("flag back", set("nodelete", "false", ceph.Unconfirmed)),
		call("flag of nothing", set("nodelete", "perhaps", ceph.Unconfirmed)),
		call("size with a unit", set("target_size_bytes", "10G", ceph.Unconfirmed)),
		settled("size with a unit read", targetSize),
		call("size with a longer unit", set("target_size_bytes", "20GB", ceph.Unconfirmed)),
		settled("size with a longer unit read", targetSize),
		call("size with a binary unit", set("target_size_bytes", "30Gi", ceph.Unconfirmed)),
		settled("size with a binary unit read", targetSize),
		call("size with a unit that is too long", set("target_size_bytes", "10GiBB", ceph.Unconfirmed)),
		call("size with a fraction", set("target_size_bytes", "1.5G", ceph.Unconfirmed)),
		call("no size", set("target_size_bytes", "0", ceph.Unconfirmed)),
		settled("no size read", targetSize),
		fact("settings after", func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.PoolGet(ctx, "p")
			return []any{s.Size, s.MinSize, s.CrushRule, s.Settings["compression_mode"], s.Settings["pg_autoscale_mode"],
				s.Settings["nodelete"]}, err
		}),
		call("application", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationEnable(ctx, "p", "rbd", ceph.Unconfirmed)
		}),
		call("application again", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationEnable(ctx, "p", "rbd", ceph.Unconfirmed)
		}),
		call("second application", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationEnable(ctx, "p", "rgw", ceph.Unconfirmed)
		}),
		call("application of no pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationEnable(ctx, "nothing", "rbd", ceph.Unconfirmed)
		}),
		call("application metadata", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationSet(ctx, "p", "rbd", "k", "v")
		}),
		call("metadata of an application that is off", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationSet(ctx, "p", "rgw", "k", "v")
		}),
		fact("applications", func(ctx context.Context, c ceph.Client) (any, error) { return c.PoolApplications(ctx, "p") }),
		call("application off without confirmation", func(ctx context.Context, c ceph.Client) error {
			return c.PoolApplicationDisable(ctx, "p", "rbd", ceph.Unconfirmed)
		}),
		call("quota of bytes", func(ctx context.Context, c ceph.Client) error { return c.PoolSetMaxBytes(ctx, "p", 1<<30) }),
		call("quota of objects", func(ctx context.Context, c ceph.Client) error { return c.PoolSetMaxObjects(ctx, "p", 1000) }),
		call("quota of no pool", func(ctx context.Context, c ceph.Client) error { return c.PoolSetMaxBytes(ctx, "nothing", 1) }),
		fact("quotas", func(ctx context.Context, c ceph.Client) (any, error) { return c.PoolQuota(ctx, "p") }),
		call("no quota", func(ctx context.Context, c ceph.Client) error { return c.PoolSetMaxBytes(ctx, "p", 0) }),
		fact("quotas after", func(ctx context.Context, c ceph.Client) (any, error) { return c.PoolQuota(ctx, "p") }),
	}
}

func erasureScenes() []scene {
	profile := ceph.ErasureCodeProfile{"k": "2", "m": "1", "plugin": "jerasure", "technique": "reed_sol_van", "crush-failure-domain": "osd"}
	return []scene{
		call("profile", func(ctx context.Context, c ceph.Client) error { return c.ErasureCodeProfileSet(ctx, "e", profile) }),
		call("profile again", func(ctx context.Context, c ceph.Client) error { return c.ErasureCodeProfileSet(ctx, "e", profile) }),
		call("other profile of that name", func(ctx context.Context, c ceph.Client) error {
			return c.ErasureCodeProfileSet(ctx, "e", ceph.ErasureCodeProfile{"k": "3", "m": "1"})
		}),
		fact("profile read", func(ctx context.Context, c ceph.Client) (any, error) {
			p, err := c.ErasureCodeProfileGet(ctx, "e")
			return []any{p["k"], p["m"], p["plugin"], p["crush-failure-domain"], p["crush-root"]}, err
		}),
		fact("unknown profile", func(ctx context.Context, c ceph.Client) (any, error) {
			p, err := c.ErasureCodeProfileGet(ctx, "nothing")
			return len(p), err
		}),
		fact("profiles", func(ctx context.Context, c ceph.Client) (any, error) { return c.ErasureCodeProfileList(ctx) }),
		call("erasure pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolCreate(ctx, ceph.PoolSpec{Name: "ep", PGNum: 4, ErasureCodeProfile: "e", AutoscaleMode: "off"}, ceph.Unconfirmed)
		}),
		fact("erasure pool read", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolList(ctx)
			i := slices.IndexFunc(list, func(p ceph.Pool) bool { return p.Name == "ep" })
			if i < 0 {
				return nil, err
			}
			return []any{list[i].Type, list[i].Size, list[i].MinSize, list[i].ErasureCodeProfile}, err
		}),
		fact("erasure rule", func(ctx context.Context, c ceph.Client) (any, error) {
			rule, err := c.CrushRuleGet(ctx, "ep")
			var ops []string
			for _, step := range rule.Steps {
				ops = append(ops, step.Op+" "+step.ItemName+" "+step.Type)
			}
			return []any{rule.Type, ops}, err
		}),
		call("size of an erasure pool", func(ctx context.Context, c ceph.Client) error {
			return c.PoolSet(ctx, "ep", "size", "2", ceph.Unconfirmed)
		}),
		call("profile in use", func(ctx context.Context, c ceph.Client) error { return c.ErasureCodeProfileRemove(ctx, "e") }),
		call("erasure pool goes", func(ctx context.Context, c ceph.Client) error { return c.PoolDelete(ctx, "ep", ceph.Really) }),
		call("profile goes", func(ctx context.Context, c ceph.Client) error { return c.ErasureCodeProfileRemove(ctx, "e") }),
		call("profile goes twice", func(ctx context.Context, c ceph.Client) error { return c.ErasureCodeProfileRemove(ctx, "e") }),
		call("rule for a profile", func(ctx context.Context, c ceph.Client) error { return c.CrushRuleCreateErasure(ctx, "er", "default") }),
		call("rule for no profile", func(ctx context.Context, c ceph.Client) error { return c.CrushRuleCreateErasure(ctx, "ex", "nothing") }),
	}
}
