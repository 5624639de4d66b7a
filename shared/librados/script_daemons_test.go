//go:build librados && integration

package librados_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

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
		call("size with a unit", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd", "osd_memory_target", "4G")
		}),
		call("size with a binary unit", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd.3", "osd_memory_target", "3Gi")
		}),
		call("size with one letter too many", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd.2", "osd_memory_target", "3GiB")
		}),
		call("no size", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd", "osd_memory_target", "plenty")
		}),
		call("ratio", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "mon", "mon_osd_min_in_ratio", "0.9")
		}),
		call("true as a number", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd", "osd_scrub_auto_repair", "1")
		}),
		call("false in capitals", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "osd.3", "osd_scrub_auto_repair", "FALSE")
		}),
		call("neither true nor false", func(ctx context.Context, c ceph.Client) error {
			return c.ConfigSet(ctx, "global", "osd_scrub_auto_repair", "yes")
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
