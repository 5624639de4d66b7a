package ceph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// replay answers every command with one recorded body.
type replay struct{ body []byte }

func (r replay) Mon(context.Context, ceph.Command) (ceph.Reply, error) {
	return ceph.Reply{Body: r.body}, nil
}

func (r replay) Mgr(context.Context, ceph.Command) (ceph.Reply, error) {
	return ceph.Reply{Body: r.body}, nil
}

func (r replay) Close() {}

// facts are what the recorded replies of every release say: a cluster with
// mon a, mgr x, two OSDs, pool p and the flag noout.
func facts() map[string]struct {
	want any
	read func(ctx context.Context, c ceph.Client) (any, error)
} {
	type fact = struct {
		want any
		read func(ctx context.Context, c ceph.Client) (any, error)
	}
	return map[string]fact{
		"status": {[]any{[]string{"a"}, 1, 2, 2, true, "noout flag(s) set", true}, func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.Status(ctx)
			return []any{s.QuorumNames, s.MonMap.NumMons, s.OSDMap.NumOSDs, s.OSDMap.NumUpOSDs, s.MgrMap.Available,
				s.Health.Checks["OSDMAP_FLAGS"].Summary.Message, s.PGMap.NumPools > 0}, err
		}},
		"health": {[]any{"HEALTH_WARN", "noout flag(s) set", false}, func(ctx context.Context, c ceph.Client) (any, error) {
			h, err := c.HealthDetail(ctx)
			check := h.Checks["OSDMAP_FLAGS"]
			return []any{check.Severity, check.Summary.Message, check.Muted}, err
		}},
		"quorum_status": {[]any{"a", "a", "v2", 1}, func(ctx context.Context, c ceph.Client) (any, error) {
			q, err := c.QuorumStatus(ctx)
			return []any{q.QuorumLeaderName, q.MonMap.Mons[0].Name, q.MonMap.Mons[0].PublicAddrs.Addrs[0].Type,
				int(q.MonMap.Epoch)}, err
		}},
		"mgr_dump": {[]any{"x", true, 0}, func(ctx context.Context, c ceph.Client) (any, error) {
			m, err := c.MgrDump(ctx)
			return []any{m.ActiveName, m.Available, len(m.Standbys)}, err
		}},
		"mgr_module_ls": {true, func(ctx context.Context, c ceph.Client) (any, error) {
			m, err := c.MgrModuleList(ctx)
			return slices.Contains(m.AlwaysOn, "rbd_support") && len(m.Disabled) > 0, err
		}},
		"versions": {1, func(ctx context.Context, c ceph.Client) (any, error) {
			v, err := c.Versions(ctx)
			return len(v["mon"]), err
		}},
		"df": {true, func(ctx context.Context, c ceph.Client) (any, error) {
			df, err := c.DF(ctx)
			return df.Stats.TotalBytes > 0 && len(df.Pools) > 0, err
		}},
		"osd_dump": {[]any{2, true, true, "p", 1, 2026}, func(ctx context.Context, c ceph.Client) (any, error) {
			d, err := c.OSDDump(ctx)
			pool := d.Pools[len(d.Pools)-1]
			return []any{len(d.OSDs), bool(d.OSDs[0].Up), slices.Contains(d.Flags, "noout"), pool.Name, pool.ID, pool.CreateTime.Year()}, err
		}},
		"osd_tree": {[]string{"default", "host0", "host1", "osd.0", "osd.1"}, func(ctx context.Context, c ceph.Client) (any, error) {
			tree, err := c.OSDTree(ctx)
			var names []string
			for _, node := range tree.Nodes {
				names = append(names, node.Name)
			}
			return slices.Sorted(slices.Values(names)), err
		}},
		"osd_metadata": {[]any{2, "memstore"}, func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.OSDMetadata(ctx)
			return []any{len(list), list[0].ObjectStore}, err
		}},
		"osd_df": {[]any{2, 1.0}, func(ctx context.Context, c ceph.Client) (any, error) {
			df, err := c.OSDDF(ctx)
			return []any{len(df.Nodes), df.Nodes[0].CrushWeight}, err
		}},
		"osd_ok-to-stop": {[]int{0}, func(ctx context.Context, c ceph.Client) (any, error) {
			result, err := c.OSDOKToStop(ctx, 0, 0)
			return result.OSDs, err
		}},
		"osd_blocklist": {[]string{"192.0.2.1:0/7", "198.51.100.0:0/24"}, func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.BlocklistList(ctx)
			var addrs []string
			for _, entry := range list {
				addrs = append(addrs, entry.Addr)
			}
			return addrs, err
		}},
		"crush_rule_dump": {"replicated_rule", func(ctx context.Context, c ceph.Client) (any, error) {
			rules, err := c.CrushRuleDump(ctx)
			return rules[0].Name, err
		}},
		"pool_ls": {[]any{"p", 1, 2, map[string]map[string]string{"rbd": {}}}, func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolList(ctx)
			p := list[len(list)-1]
			return []any{p.Name, p.ID, p.Size, p.ApplicationMetadata}, err
		}},
		"pool_get": {[]any{"replicated_rule", "off", "2"}, func(ctx context.Context, c ceph.Client) (any, error) {
			s, err := c.PoolGet(ctx, "p")
			return []any{s.CrushRule, s.Settings["pg_autoscale_mode"], s.Settings["size"]}, err
		}},
		"pool_stats": {"p", func(ctx context.Context, c ceph.Client) (any, error) {
			list, err := c.PoolStats(ctx)
			return list[len(list)-1].Name, err
		}},
		"config_dump": {ceph.ConfigOption{Section: "osd", Mask: "class:ssd", Value: "2"}, func(ctx context.Context, c ceph.Client) (any, error) {
			options, err := c.ConfigDump(ctx)
			for _, o := range options {
				if o.Name == "osd_max_backfills" {
					return ceph.ConfigOption{Section: o.Section, Mask: o.Mask, Value: o.Value}, err
				}
			}
			return nil, err
		}},
	}
}

func TestRepliesOfEveryReleaseAreRead(t *testing.T) {
	for _, release := range []string{"reef", "tentacle"} {
		for name, fact := range facts() {
			t.Run(release+"/"+name, func(t *testing.T) {
				body, err := os.ReadFile(filepath.Join("testdata", release, name+".json"))
				if err != nil {
					t.Fatal(err)
				}
				got, err := fact.read(t.Context(), ceph.Client{Conn: replay{body}})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(fact.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestSilenceIsNoEmptyCluster(t *testing.T) {
	for _, body := range []string{"", "  \n"} {
		if status, err := (ceph.Client{Conn: replay{[]byte(body)}}).Status(t.Context()); err == nil {
			t.Errorf("body %q: want an error, got %+v", body, status)
		}
	}
}

func TestNumbersThatAreNoneReadAsZero(t *testing.T) {
	body := `{"nodes":[{"id":0,"name":"nan \"inf","utilization":-nan,"crush_weight":inf}],"stray":[],"summary":{"average_utilization":nan}}`
	df, err := ceph.Client{Conn: replay{[]byte(body)}}.OSDDF(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []ceph.OSDUsage{{ID: 0, Name: `nan "inf`}}
	if diff := cmp.Diff(want, df.Nodes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSafeToDestroyIsNotWhatCephCallsSuccess(t *testing.T) {
	body := `{"safe_to_destroy":[3],"active":[0],"missing_stats":[],"stored_pgs":[]}`
	client := ceph.Client{Conn: replay{[]byte(body)}}
	if _, err := client.OSDSafeToDestroy(t.Context(), 3); err != nil {
		t.Errorf("osd.3: %v", err)
	}
	if result, err := client.OSDSafeToDestroy(t.Context(), 0, 3); !errors.Is(err, ceph.ErrBusy) || len(result.Active) != 1 {
		t.Errorf("osd.0: want ErrBusy with the findings, got %+v, %v", result, err)
	}
}

// seeds gives a fuzz target all recorded replies.
func seeds(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no recorded replies: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"a":-nan,"b":"\"nan`))
	f.Add([]byte(`"\`))
}

// FuzzDecode feeds any bytes to every decoder: none may panic, and an error
// comes with nothing that looks like an answer to act on.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		client := ceph.Client{Conn: replay{body}}
		ctx := t.Context()
		_, _ = client.Status(ctx)
		_, _ = client.HealthDetail(ctx)
		_, _ = client.QuorumStatus(ctx)
		_, _ = client.MgrDump(ctx)
		_, _ = client.OSDDump(ctx)
		_, _ = client.OSDTree(ctx)
		_, _ = client.OSDDF(ctx)
		_, _ = client.PoolList(ctx)
		_, _ = client.PoolGet(ctx, "p")
		_, _ = client.ConfigGet(ctx, "mon", "x")
		_, _ = client.AuthGet(ctx, "client.x")
		if _, err := client.BlocklistList(ctx); err == nil && len(body) == 0 {
			t.Error("an empty blocklist from an empty reply")
		}
		if result, err := client.OSDSafeToDestroy(ctx, 7); err == nil && !slices.Contains(result.Safe, 7) {
			t.Errorf("osd.7 passed as safe: %+v", result)
		}
	})
}
