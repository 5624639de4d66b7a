//go:build librados && integration

package librados_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

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
		{name: "a mon that ended leaves", settles: true, loses: "c", do: func(ctx context.Context, c ceph.Client) (any, error) {
			return nil, c.MonRemove(ctx, "c")
		}},
		settled("two mons are left", func(ctx context.Context, c ceph.Client) (any, error) {
			quorum, err := c.QuorumStatus(ctx)
			return slices.Sorted(slices.Values(quorum.QuorumNames)), err
		}),
		call("neither of two mons may stop", func(ctx context.Context, c ceph.Client) error { return c.MonOKToStop(ctx, "a") }),
		call("one of two mons may be removed", func(ctx context.Context, c ceph.Client) error { return c.MonOKToRemove(ctx, "a") }),
		call("a third mon may stay offline", func(ctx context.Context, c ceph.Client) error { return c.MonOKToAddOffline(ctx) }),
	}
}
