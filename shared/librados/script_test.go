//go:build librados && integration

package librados_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// scene is one call of the differential test. Its result must be equal on the
// fake and on real daemons, so do keeps only what does not depend on time,
// addresses or chance. Settles marks facts that a real cluster reaches after a
// while; they are asked again until they are equal.
type scene struct {
	name    string
	settles bool
	do      func(ctx context.Context, c ceph.Client) (any, error)
}

func call(name string, do func(ctx context.Context, c ceph.Client) error) scene {
	return scene{name: name, do: func(ctx context.Context, c ceph.Client) (any, error) { return nil, do(ctx, c) }}
}

func fact(name string, do func(ctx context.Context, c ceph.Client) (any, error)) scene {
	return scene{name: name, do: do}
}

func settled(name string, do func(ctx context.Context, c ceph.Client) (any, error)) scene {
	return scene{name: name, do: do, settles: true}
}

func script() []scene {
	var all []scene
	for _, part := range [][]scene{
		monScenes(), mgrScenes(), authScenes(), configScenes(), crushScenes(), poolScenes(), settingScenes(),
		erasureScenes(), mapScenes(), healthScenes(), osdScenes(), removalScenes(),
	} {
		all = append(all, part...)
	}
	return all
}

func monScenes() []scene {
	return []scene{
		settled("three mons are in quorum", func(ctx context.Context, c ceph.Client) (any, error) {
			quorum, err := c.QuorumStatus(ctx)
			return []any{slices.Sorted(slices.Values(quorum.QuorumNames)), len(quorum.MonMap.Mons), quorum.MonMap.FSID != "",
				quorum.MonMap.MinMonRelease}, err
		}),
		fact("mon dump lists the mons", func(ctx context.Context, c ceph.Client) (any, error) {
			dump, err := c.MonDump(ctx)
			var names []string
			for _, mon := range dump.Mons {
				names = append(names, mon.Name)
			}
			return []any{slices.Sorted(slices.Values(names)), dump.ElectionStrategy}, err
		}),
		call("one of three mons may stop", func(ctx context.Context, c ceph.Client) error { return c.MonOKToStop(ctx, "a") }),
		call("two of three mons may not stop", func(ctx context.Context, c ceph.Client) error { return c.MonOKToStop(ctx, "a", "b") }),
		call("one of three mons may be removed", func(ctx context.Context, c ceph.Client) error { return c.MonOKToRemove(ctx, "a") }),
		call("an unknown mon may be removed", func(ctx context.Context, c ceph.Client) error { return c.MonOKToRemove(ctx, "q") }),
		call("a fourth mon may stay offline", func(ctx context.Context, c ceph.Client) error { return c.MonOKToAddOffline(ctx) }),
		call("removing an unknown mon succeeds", func(ctx context.Context, c ceph.Client) error { return c.MonRemove(ctx, "q") }),
		call("an unknown election strategy is refused", func(ctx context.Context, c ceph.Client) error {
			return c.MonSetElectionStrategy(ctx, "dice")
		}),
		call("addresses of an unknown mon", func(ctx context.Context, c ceph.Client) error {
			return c.MonSetAddrs(ctx, "q", "[v2:127.0.0.1:1]")
		}),
		call("allowed ciphers", func(ctx context.Context, c ceph.Client) error {
			return c.MonSet(ctx, "auth_allowed_ciphers", "aes,aes256k")
		}),
		settled("mon metadata", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.MonMetadata(ctx)
			var names []string
			for _, mon := range list {
				names = append(names, mon.Name+" "+mon.Release)
			}
			return slices.Sorted(slices.Values(names)), err
		}),
	}
}

func mgrScenes() []scene {
	return []scene{
		settled("one mgr is active and one stands by", func(ctx context.Context, c ceph.Client) (any, error) {
			dump, err := c.MgrDump(ctx)
			return []any{dump.Available, dump.ActiveName != "", len(dump.Standbys)}, err
		}),
		settled("versions count the daemons", func(ctx context.Context, c ceph.Client) (any, error) {
			versions, err := c.Versions(ctx)
			counts := map[string]int{}
			for role, byVersion := range versions {
				for _, count := range byVersion {
					counts[role] += count
				}
			}
			return counts, err
		}),
		fact("modules", func(ctx context.Context, c ceph.Client) (any, error) {
			modules, err := c.MgrModuleList(ctx)
			return []any{slices.Contains(modules.AlwaysOn, "balancer"), slices.Contains(modules.AlwaysOn, "rbd_support"),
				slices.Contains(modules.Enabled, "prometheus")}, err
		}),
		call("enabling an unknown module", func(ctx context.Context, c ceph.Client) error {
			return c.MgrModuleEnable(ctx, "nonsense", ceph.Unconfirmed)
		}),
		call("enabling an always-on module", func(ctx context.Context, c ceph.Client) error {
			return c.MgrModuleEnable(ctx, "balancer", ceph.Unconfirmed)
		}),
		call("disabling an always-on module", func(ctx context.Context, c ceph.Client) error {
			return c.MgrModuleDisable(ctx, "balancer")
		}),
		call("disabling a module that is off", func(ctx context.Context, c ceph.Client) error {
			return c.MgrModuleDisable(ctx, "telegraf")
		}),
		call("failing an unknown mgr succeeds", func(ctx context.Context, c ceph.Client) error { return c.MgrFail(ctx, "q") }),
		fact("services of no module", func(ctx context.Context, c ceph.Client) (any, error) { return c.MgrServices(ctx) }),
	}
}

func authScenes() []scene {
	caps := map[string]string{"mon": "profile rbd", "osd": "profile rbd pool=p"}
	show := func(user ceph.AuthUser, err error) (any, error) {
		return []any{user.Entity, user.Caps, user.Secret != ""}, err
	}
	return []scene{
		fact("unknown user", func(ctx context.Context, c ceph.Client) (any, error) { return show(c.AuthGet(ctx, "client.u")) }),
		fact("user is made", func(ctx context.Context, c ceph.Client) (any, error) {
			return show(c.AuthGetOrCreate(ctx, "client.u", caps))
		}),
		fact("user is found again", func(ctx context.Context, c ceph.Client) (any, error) {
			return show(c.AuthGetOrCreate(ctx, "client.u", caps))
		}),
		fact("other caps for an existing user", func(ctx context.Context, c ceph.Client) (any, error) {
			return show(c.AuthGetOrCreate(ctx, "client.u", map[string]string{"mon": "allow r"}))
		}),
		fact("bad caps are refused", func(ctx context.Context, c ceph.Client) (any, error) {
			return show(c.AuthGetOrCreate(ctx, "client.v", map[string]string{"moon": "allow r"}))
		}),
		call("caps change", func(ctx context.Context, c ceph.Client) error {
			return c.AuthCaps(ctx, "client.u", map[string]string{"mon": "allow r"})
		}),
		call("caps of an unknown user", func(ctx context.Context, c ceph.Client) error {
			return c.AuthCaps(ctx, "client.nobody", map[string]string{"mon": "allow r"})
		}),
		fact("changed user", func(ctx context.Context, c ceph.Client) (any, error) { return show(c.AuthGet(ctx, "client.u")) }),
		call("import", func(ctx context.Context, c ceph.Client) error {
			return c.AuthImport(ctx, []byte("[client.i]\n\tkey = AQAAAAAAAAAAABAAAQIDBAUGBwgJCgsMDQ4PEA==\n\tcaps mon = \"allow r\"\n"))
		}),
		fact("imported user", func(ctx context.Context, c ceph.Client) (any, error) {
			user, err := c.AuthGet(ctx, "client.i")
			return []any{user.Secret, user.Caps}, err
		}),
		fact("clients", func(ctx context.Context, c ceph.Client) (any, error) {
			users, err := c.AuthList(ctx)
			var names []string
			for _, user := range users {
				if strings.HasPrefix(user.Entity, "client.") && !strings.HasPrefix(user.Entity, "client.bootstrap") {
					names = append(names, user.Entity)
				}
			}
			return slices.Sorted(slices.Values(names)), err
		}),
		call("user goes", func(ctx context.Context, c ceph.Client) error { return c.AuthRemove(ctx, "client.u") }),
		call("user goes twice", func(ctx context.Context, c ceph.Client) error { return c.AuthRemove(ctx, "client.u") }),
	}
}

func configScenes() []scene {
	options := func(ctx context.Context, c ceph.Client) (any, error) {
		dump, err := c.ConfigDump(ctx)
		var lines []string
		for _, option := range dump {
			if !strings.HasPrefix(option.Name, "mgr/") && option.Name != "container_image" {
				lines = append(lines, strings.Join([]string{option.Section, option.Mask, option.Name, option.Value}, "|"))
			}
		}
		return slices.Sorted(slices.Values(lines)), err
	}
	return []scene{
		fact("default", func(ctx context.Context, c ceph.Client) (any, error) {
			return c.ConfigGet(ctx, "mon", "mon_allow_pool_delete")
		}),
		call("set", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "mon", "mon_allow_pool_delete", "true")
		}),
		fact("value", func(ctx context.Context, c ceph.Client) (any, error) {
			return c.ConfigGet(ctx, "mon", "mon_allow_pool_delete")
		}),
		call("set with a mask", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd/class:ssd", "osd_max_backfills", "2")
		}),
		call("set for nobody", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "toaster", "mon_allow_pool_delete", "true")
		}),
		call("assimilate", func(ctx context.Context, c ceph.Client) error {
			_, err := c.ConfigAssimilate(ctx, []byte("[global]\nmon cluster log level = info\n[osd.3]\nosd_max_backfills = 3\n"))
			return err
		}),
		fact("dump", options),
		call("remove", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigRemove(ctx, "osd.3", "osd_max_backfills")
		}),
		call("remove twice", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigRemove(ctx, "osd.3", "osd_max_backfills")
		}),
		fact("dump after removal", options),
		fact("key that is not there", func(ctx context.Context, c ceph.Client) (any, error) { return c.ConfigKeyGet(ctx, "rook/k") }),
		call("key is set", func(ctx context.Context, c ceph.Client) error { return c.ConfigKeySet(ctx, "rook/k", []byte("v 1")) }),
		fact("key value", func(ctx context.Context, c ceph.Client) (any, error) {
			value, err := c.ConfigKeyGet(ctx, "rook/k")
			return string(value), err
		}),
		fact("key exists", func(ctx context.Context, c ceph.Client) (any, error) { return c.ConfigKeyExists(ctx, "rook/k") }),
		call("key is removed", func(ctx context.Context, c ceph.Client) error { return c.ConfigKeyRemove(ctx, "rook/k") }),
		call("key is removed twice", func(ctx context.Context, c ceph.Client) error { return c.ConfigKeyRemove(ctx, "rook/k") }),
		fact("key is gone", func(ctx context.Context, c ceph.Client) (any, error) { return c.ConfigKeyExists(ctx, "rook/k") }),
		fact("keys", func(ctx context.Context, c ceph.Client) (any, error) {
			keys, err := c.ConfigKeyList(ctx)
			return slices.Contains(keys, "rook/k"), err
		}),
	}
}

func crushScenes() []scene {
	tree := func(ctx context.Context, c ceph.Client) (any, error) {
		tree, err := c.OSDTree(ctx)
		var lines []string
		names := map[int]string{}
		for _, node := range tree.Nodes {
			names[node.ID] = node.Name
		}
		for _, node := range tree.Nodes {
			var children []string
			for _, child := range node.Children {
				children = append(children, names[child])
			}
			slices.Sort(children)
			lines = append(lines, node.Type+" "+node.Name+" ["+strings.Join(children, " ")+"] "+node.DeviceClass+" "+node.Status)
		}
		return slices.Sorted(slices.Values(lines)), err
	}
	rule := func(name string) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) {
			rule, err := c.CrushRuleGet(ctx, name)
			var steps []any
			for _, step := range rule.Steps {
				steps = append(steps, []any{step.Op, step.ItemName, step.Type, step.Num})
			}
			return []any{rule.Name, rule.Type, steps}, err
		}
	}
	return []scene{
		call("classes go", func(ctx context.Context, c ceph.Client) error { return c.CrushRemoveDeviceClass(ctx, 0, 1, 2) }),
		call("class of an OSD", func(ctx context.Context, c ceph.Client) error { return c.CrushSetDeviceClass(ctx, "ssd", 0, 1, 2) }),
		call("same class again", func(ctx context.Context, c ceph.Client) error { return c.CrushSetDeviceClass(ctx, "ssd", 0) }),
		call("another class", func(ctx context.Context, c ceph.Client) error { return c.CrushSetDeviceClass(ctx, "hdd", 0) }),
		fact("classes", func(ctx context.Context, c ceph.Client) (any, error) { return c.CrushClassList(ctx) }),
		fact("OSDs of a class", func(ctx context.Context, c ceph.Client) (any, error) { return c.CrushClassOSDs(ctx, "ssd") }),
		fact("OSDs of an unknown class", func(ctx context.Context, c ceph.Client) (any, error) { return c.CrushClassOSDs(ctx, "tape") }),
		settled("tree", tree),
		call("bucket", func(ctx context.Context, c ceph.Client) error { return c.CrushAddBucket(ctx, "z1", "zone", nil) }),
		call("bucket again", func(ctx context.Context, c ceph.Client) error { return c.CrushAddBucket(ctx, "z1", "zone", nil) }),
		call("bucket of no type", func(ctx context.Context, c ceph.Client) error { return c.CrushAddBucket(ctx, "z2", "shelf", nil) }),
		call("bucket moves", func(ctx context.Context, c ceph.Client) error {
			return c.CrushMove(ctx, "z1", ceph.Location{"root=default"})
		}),
		call("unknown bucket moves", func(ctx context.Context, c ceph.Client) error {
			return c.CrushMove(ctx, "z9", ceph.Location{"root=default"})
		}),
		call("host moves below a zone", func(ctx context.Context, c ceph.Client) error {
			return c.CrushMove(ctx, "host0", ceph.Location{"zone=z1"})
		}),
		fact("tree with a zone", tree),
		call("bucket with members", func(ctx context.Context, c ceph.Client) error { return c.CrushRemove(ctx, "z1") }),
		call("host moves back", func(ctx context.Context, c ceph.Client) error {
			return c.CrushMove(ctx, "host0", ceph.Location{"root=default"})
		}),
		call("empty bucket goes", func(ctx context.Context, c ceph.Client) error { return c.CrushRemove(ctx, "z1") }),
		call("unknown bucket goes", func(ctx context.Context, c ceph.Client) error { return c.CrushRemove(ctx, "z1") }),
		call("weight", func(ctx context.Context, c ceph.Client) error { return c.CrushReweight(ctx, 0, 2) }),
		call("weight back", func(ctx context.Context, c ceph.Client) error { return c.CrushReweight(ctx, 0, 1) }),
		call("weight of an unknown OSD", func(ctx context.Context, c ceph.Client) error { return c.CrushReweight(ctx, 77, 2) }),
		call("place of an unknown OSD", func(ctx context.Context, c ceph.Client) error {
			return c.CrushSet(ctx, 77, 1, ceph.Location{"host=host9"})
		}),
		call("create-or-move in place", func(ctx context.Context, c ceph.Client) error {
			return c.CrushCreateOrMove(ctx, 0, 1, ceph.Location{"root=default", "host=host0"})
		}),
		fact("tree as before", tree),
		fact("rules", func(ctx context.Context, c ceph.Client) (any, error) { return c.CrushRuleList(ctx) }),
		fact("built-in rule", rule("replicated_rule")),
		call("rule", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r1", Root: "default", FailureDomain: "host", DeviceClass: "ssd"})
		}),
		call("rule again", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r1", Root: "default", FailureDomain: "host", DeviceClass: "ssd"})
		}),
		call("rule of another shape", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r1", Root: "default", FailureDomain: "osd"})
		}),
		fact("rule with a class", rule("r1")),
		call("rule over OSDs", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r2", Root: "default", FailureDomain: "osd"})
		}),
		fact("rule over OSDs read", rule("r2")),
		call("rule of no root", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r3", Root: "nowhere", FailureDomain: "host"})
		}),
		call("rule of no type", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r3", Root: "default", FailureDomain: "shelf"})
		}),
		call("rule of no class", func(ctx context.Context, c ceph.Client) error {
			return c.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "r3", Root: "default", FailureDomain: "host", DeviceClass: "tape"})
		}),
		fact("unknown rule", rule("r9")),
		call("rule goes", func(ctx context.Context, c ceph.Client) error { return c.CrushRuleRemove(ctx, "r2") }),
		call("rule goes twice", func(ctx context.Context, c ceph.Client) error { return c.CrushRuleRemove(ctx, "r2") }),
	}
}

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
	}
}

func settledCall(name string, do func(ctx context.Context, c ceph.Client) error) scene {
	one := call(name, do)
	one.settles = true
	return one
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
		call("autoscale mode", set("pg_autoscale_mode", "warn", ceph.Unconfirmed)),
		call("autoscale mode of nothing", set("pg_autoscale_mode", "maybe", ceph.Unconfirmed)),
		call("flag", set("nodelete", "true", ceph.Unconfirmed)),
		call("flag back", set("nodelete", "false", ceph.Unconfirmed)),
		call("flag of nothing", set("nodelete", "perhaps", ceph.Unconfirmed)),
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

func mapScenes() []scene {
	show := func(ctx context.Context, c ceph.Client) (any, error) {
		dump, err := c.OSDDump(ctx)
		return []any{dump.FullRatio, dump.BackfillfullRatio, dump.NearfullRatio, dump.RequireOSDRelease, dump.RequireMinCompatClient,
			slices.Contains(dump.Flags, "noout"), slices.Contains(dump.Flags, "sortbitwise"), dump.CrushNodeFlags, dump.DeviceClassFlags,
			len(dump.OSDs)}, err
	}
	return []scene{
		call("ratio", func(ctx context.Context, c ceph.Client) error { return c.SetNearfullRatio(ctx, 0.8) }),
		call("ratio 2", func(ctx context.Context, c ceph.Client) error { return c.SetBackfillfullRatio(ctx, 0.88) }),
		call("ratio 3", func(ctx context.Context, c ceph.Client) error { return c.SetFullRatio(ctx, 0.96) }),
		call("noout", func(ctx context.Context, c ceph.Client) error { return c.OSDSet(ctx, "noout") }),
		call("unknown flag", func(ctx context.Context, c ceph.Client) error { return c.OSDSet(ctx, "nosleep") }),
		call("group flag", func(ctx context.Context, c ceph.Client) error { return c.OSDSetGroup(ctx, "noout", "host0", "ssd") }),
		call("group flag of nothing", func(ctx context.Context, c ceph.Client) error { return c.OSDSetGroup(ctx, "noout", "nowhere") }),
		call("unknown group flag", func(ctx context.Context, c ceph.Client) error { return c.OSDSetGroup(ctx, "nosleep", "host0") }),
		settledCall("lower release", func(ctx context.Context, c ceph.Client) error {
			return c.RequireOSDRelease(ctx, "quincy", ceph.Unconfirmed)
		}),
		call("unknown release", func(ctx context.Context, c ceph.Client) error {
			return c.RequireOSDRelease(ctx, "cuttle", ceph.Unconfirmed)
		}),
		call("unknown client release", func(ctx context.Context, c ceph.Client) error {
			return c.SetRequireMinCompatClient(ctx, "cuttle", ceph.Unconfirmed)
		}),
		fact("map", show),
		call("noout off", func(ctx context.Context, c ceph.Client) error { return c.OSDUnset(ctx, "noout") }),
		call("group flag off", func(ctx context.Context, c ceph.Client) error { return c.OSDUnsetGroup(ctx, "noout", "host0", "ssd") }),
		fact("map after", show),
		call("blocklist", func(ctx context.Context, c ceph.Client) error {
			return c.BlocklistAdd(ctx, "192.0.2.1:0/1234", time.Hour)
		}),
		call("blocklist a host", func(ctx context.Context, c ceph.Client) error { return c.BlocklistAdd(ctx, "192.0.2.7", time.Hour) }),
		call("blocklist a range", func(ctx context.Context, c ceph.Client) error {
			return c.BlocklistAddRange(ctx, "198.51.100.0/24", time.Hour)
		}),
		fact("blocklisted", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.BlocklistList(ctx)
			var addrs []string
			for _, entry := range list {
				if !strings.HasPrefix(entry.Addr, "127.0.0.1:") {
					addrs = append(addrs, entry.Addr)
				}
			}
			return slices.Sorted(slices.Values(addrs)), err
		}),
		call("unblocklist", func(ctx context.Context, c ceph.Client) error { return c.BlocklistRemove(ctx, "192.0.2.1:0/1234") }),
		call("unblocklist again", func(ctx context.Context, c ceph.Client) error { return c.BlocklistRemove(ctx, "192.0.2.1:0/1234") }),
		call("unblocklist a range", func(ctx context.Context, c ceph.Client) error {
			return c.BlocklistRemoveRange(ctx, "198.51.100.0/24")
		}),
	}
}

func healthScenes() []scene {
	codes := func(ctx context.Context, c ceph.Client) (any, error) {
		health, err := c.HealthDetail(ctx)
		shown := map[string]bool{}
		for code, check := range health.Checks {
			if code == "OSDMAP_FLAGS" || code == "OSD_DOWN" || code == "MON_DOWN" || code == "MGR_DOWN" {
				shown[code] = check.Muted
			}
		}
		return shown, err
	}
	return []scene{
		call("mute of what is not raised", func(ctx context.Context, c ceph.Client) error {
			return c.HealthMute(ctx, ceph.HealthMute{Code: "OSD_DOWN"})
		}),
		call("sticky mute", func(ctx context.Context, c ceph.Client) error {
			return c.HealthMute(ctx, ceph.HealthMute{Code: "OSD_DOWN", Sticky: true})
		}),
		call("flag", func(ctx context.Context, c ceph.Client) error { return c.OSDSet(ctx, "noout") }),
		settled("flag is a warning", codes),
		call("mute", func(ctx context.Context, c ceph.Client) error {
			return c.HealthMute(ctx, ceph.HealthMute{Code: "OSDMAP_FLAGS", TTL: "1h"})
		}),
		settled("muted", codes),
		fact("mutes", func(ctx context.Context, c ceph.Client) (any, error) {
			health, err := c.HealthDetail(ctx)
			var list []string
			for _, mute := range health.Mutes {
				list = append(list, mute.Code)
			}
			return slices.Sorted(slices.Values(list)), err
		}),
		call("unmute", func(ctx context.Context, c ceph.Client) error { return c.HealthUnmute(ctx, "OSDMAP_FLAGS") }),
		call("unmute again", func(ctx context.Context, c ceph.Client) error { return c.HealthUnmute(ctx, "OSDMAP_FLAGS") }),
		call("unmute sticky", func(ctx context.Context, c ceph.Client) error { return c.HealthUnmute(ctx, "OSD_DOWN") }),
		call("flag off", func(ctx context.Context, c ceph.Client) error { return c.OSDUnset(ctx, "noout") }),
		settled("status", func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.Status(ctx)
			return []any{slices.Sorted(slices.Values(s.QuorumNames)), s.MonMap.NumMons, s.OSDMap.NumOSDs, s.OSDMap.NumUpOSDs,
				s.OSDMap.NumInOSDs, s.MgrMap.Available, s.MgrMap.NumStandbys}, err
		}),
		settled("capacity", func(ctx context.Context, c ceph.Client) (any, error) {
			df, err := c.DF(ctx)
			return []any{df.Stats.TotalBytes > 0, slices.Sorted(maps.Keys(df.StatsByClass)),
				slices.ContainsFunc(df.Pools, func(p ceph.DFPool) bool { return p.Name == "p" })}, err
		}),
		fact("file systems", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.FSList(ctx)
			return len(list), err
		}),
	}
}

func osdScenes() []scene {
	stop := func(ids ...int) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) {
			result, err := c.OSDOKToStop(ctx, 0, ids...)
			return []any{result.OK, result.OSDs, result.NumNotOKPGs > 0}, err
		}
	}
	safe := func(ids ...int) func(ctx context.Context, c ceph.Client) (any, error) {
		return func(ctx context.Context, c ceph.Client) (any, error) {
			result, err := c.OSDSafeToDestroy(ctx, ids...)
			return []any{len(result.Safe), len(result.Active)}, err
		}
	}
	return []scene{
		fact("ids", func(ctx context.Context, c ceph.Client) (any, error) { return c.OSDList(ctx) }),
		fact("stat", func(ctx context.Context, c ceph.Client) (any, error) {
			stat, err := c.OSDStat(ctx)
			return []any{stat.Num, stat.NumUp, stat.NumIn, stat.Epoch > 0}, err
		}),
		settled("metadata", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.OSDMetadata(ctx)
			var lines []any
			for _, entry := range list {
				lines = append(lines, []any{entry.ID, entry.Release, entry.Hostname != ""})
			}
			return lines, err
		}),
		settled("usage", func(ctx context.Context, c ceph.Client) (any, error) {
			df, err := c.OSDDF(ctx)
			var lines []any
			for _, node := range df.Nodes {
				lines = append(lines, []any{node.ID, node.Name, node.DeviceClass, node.CrushWeight, node.Status, node.KB > 0})
			}
			return lines, err
		}),
		settled("one of three OSDs may stop", stop(0)),
		settled("two of three OSDs may not stop", stop(0, 1)),
		settled("an active OSD is not safe to destroy", safe(0)),
		settled("pool traffic", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolStats(ctx)
			return slices.ContainsFunc(list, func(p ceph.PoolStats) bool { return p.Name == "p" }), err
		}),
		fact("new OSD", newOSD("11111111-2222-4333-8444-555555555555", secretOne, nil)),
		fact("new OSD again", newOSD("11111111-2222-4333-8444-555555555555", secretOne, nil)),
		fact("new OSD with another key", newOSD("11111111-2222-4333-8444-555555555555", secretTwo, nil)),
		fact("new OSD in a taken place", newOSD("22222222-2222-4333-8444-555555555555", secretTwo, id(0))),
		fact("user of the new OSD", func(ctx context.Context, c ceph.Client) (any, error) {
			user, err := c.AuthGet(ctx, "osd.3")
			return []any{user.Secret, user.Caps}, err
		}),
		fact("state of the new OSD", func(ctx context.Context, c ceph.Client) (any, error) {
			dump, err := c.OSDDump(ctx)
			for _, osd := range dump.OSDs {
				if osd.ID == 3 {
					return []any{osd.UUID, osd.Up, osd.In, slices.Contains(osd.State, "new")}, err
				}
			}
			return nil, err
		}),
		settled("stray OSD in the tree", func(ctx context.Context, c ceph.Client) (any, error) {
			tree, err := c.OSDTree(ctx)
			var stray []string
			for _, node := range tree.Stray {
				stray = append(stray, node.Name+" "+node.Status)
			}
			return stray, err
		}),
	}
}

const (
	secretOne = "AQAAAAAAAAAAABAAAQIDBAUGBwgJCgsMDQ4PEA=="
	secretTwo = "AQAAAAAAAAAAABAAEA8ODQwLCgkIBwYFBAMCAQ=="
)

func id(n int) *int { return &n }

func newOSD(uuid, secret string, reuse *int) func(ctx context.Context, c ceph.Client) (any, error) {
	return func(ctx context.Context, c ceph.Client) (any, error) {
		return c.OSDNew(ctx, ceph.OSDNewRequest{UUID: uuid, CephxSecret: secret, ReuseID: reuse})
	}
}

func removalScenes() []scene {
	return []scene{
		call("purge of a living OSD", func(ctx context.Context, c ceph.Client) error { return c.OSDPurge(ctx, 0) }),
		call("unsafe purge of a living OSD", func(ctx context.Context, c ceph.Client) error {
			return c.OSDPurgeUnsafe(ctx, 0)
		}),
		call("purge of nothing", func(ctx context.Context, c ceph.Client) error { return c.OSDPurge(ctx, 77) }),
		settledCall("destroy", func(ctx context.Context, c ceph.Client) error { return c.OSDDestroy(ctx, 3) }),
		fact("destroyed", func(ctx context.Context, c ceph.Client) (any, error) {
			dump, err := c.OSDDump(ctx)
			for _, osd := range dump.OSDs {
				if osd.ID == 3 {
					return []any{osd.Destroyed(), osd.UUID}, err
				}
			}
			return nil, err
		}),
		fact("user of a destroyed OSD", func(ctx context.Context, c ceph.Client) (any, error) {
			user, err := c.AuthGet(ctx, "osd.3")
			return user.Entity, err
		}),
		fact("replacement", newOSD("33333333-2222-4333-8444-555555555555", secretTwo, id(3))),
		settledCall("purge", func(ctx context.Context, c ceph.Client) error { return c.OSDPurge(ctx, 3) }),
		fact("ids after the purge", func(ctx context.Context, c ceph.Client) (any, error) { return c.OSDList(ctx) }),
		call("out", func(ctx context.Context, c ceph.Client) error { return c.OSDOut(ctx, 0) }),
		call("out twice", func(ctx context.Context, c ceph.Client) error { return c.OSDOut(ctx, 0) }),
		call("out of nothing", func(ctx context.Context, c ceph.Client) error { return c.OSDOut(ctx, 77) }),
		fact("who is in", func(ctx context.Context, c ceph.Client) (any, error) {
			dump, err := c.OSDDump(ctx)
			var in []int
			for _, osd := range dump.OSDs {
				if osd.In {
					in = append(in, osd.ID)
				}
			}
			return in, err
		}),
		call("in", func(ctx context.Context, c ceph.Client) error { return c.OSDIn(ctx, 0) }),
		settledCall("a mon leaves", func(ctx context.Context, c ceph.Client) error { return c.MonRemove(ctx, "c") }),
		settled("two mons are left", func(ctx context.Context, c ceph.Client) (any, error) {
			quorum, err := c.QuorumStatus(ctx)
			return slices.Sorted(slices.Values(quorum.QuorumNames)), err
		}),
		call("neither of two mons may stop", func(ctx context.Context, c ceph.Client) error { return c.MonOKToStop(ctx, "a") }),
		call("one of two mons may be removed", func(ctx context.Context, c ceph.Client) error { return c.MonOKToRemove(ctx, "a") }),
		call("a third mon may stay offline", func(ctx context.Context, c ceph.Client) error { return c.MonOKToAddOffline(ctx) }),
	}
}
