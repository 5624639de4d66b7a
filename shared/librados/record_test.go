//go:build librados && integration

package librados_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

var update = flag.Bool("update", false, "record the replies of real daemons for the tests of package ceph")

// recorded are the commands whose replies package ceph decodes in its tests.
func recorded() map[string]ceph.Command {
	return map[string]ceph.Command{
		"status":          {Prefix: "status"},
		"health":          {Prefix: "health", Args: map[string]any{"detail": "detail"}},
		"quorum_status":   {Prefix: "quorum_status"},
		"mgr_dump":        {Prefix: "mgr dump"},
		"mgr_module_ls":   {Prefix: "mgr module ls"},
		"versions":        {Prefix: "versions"},
		"df":              {Prefix: "df"},
		"osd_dump":        {Prefix: "osd dump"},
		"osd_tree":        {Prefix: "osd tree"},
		"osd_metadata":    {Prefix: "osd metadata"},
		"osd_df":          {Prefix: "osd df"},
		"osd_ok-to-stop":  {Prefix: "osd ok-to-stop", Args: map[string]any{"ids": []string{"0"}}},
		"osd_blocklist":   {Prefix: "osd blocklist ls"},
		"crush_rule_dump": {Prefix: "osd crush rule dump"},
		"pool_ls":         {Prefix: "osd pool ls", Args: map[string]any{"detail": "detail"}},
		"pool_get":        {Prefix: "osd pool get", Args: map[string]any{"pool": "p", "var": "all"}},
		"pool_stats":      {Prefix: "osd pool stats"},
		"config_dump":     {Prefix: "config dump"},
	}
}

// TestRepliesAreRecorded writes the replies with -update; otherwise it checks
// that every recorded command still has a file.
func TestRepliesAreRecorded(t *testing.T) {
	for _, release := range real.Releases() {
		dir := filepath.Join("..", "ceph", "testdata", release)
		if *update {
			record(t, release, dir)
		}
		for name := range recorded() {
			if _, err := os.Stat(filepath.Join(dir, name+".json")); err != nil {
				t.Errorf("no recorded reply: %v (go test -update)", err)
			}
		}
	}
}

func record(t *testing.T, release, dir string) {
	cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(2))
	client := cluster.Client()
	err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: "p", PGNum: 8, Size: 2, AutoscaleMode: "off"}, ceph.Unconfirmed)
	if err == nil {
		err = client.PoolApplicationEnable(t.Context(), "p", "rbd", ceph.Unconfirmed)
	}
	if err == nil {
		err = client.OSDSet(t.Context(), "noout")
	}
	if err == nil {
		err = client.BlocklistAdd(t.Context(), "192.0.2.1:0/7", ceph.DefaultTimeout)
	}
	if err == nil {
		err = client.BlocklistAddRange(t.Context(), "198.51.100.0/24", ceph.DefaultTimeout)
	}
	if err == nil {
		err = client.ConfigSet(t.Context(), "osd/class:ssd", "osd_max_backfills", "2")
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cluster.Await("the mgr reports the pool", func(ctx context.Context) (bool, error) {
		status, err := client.Status(ctx)
		return status.PGMap.NumPools > 0 && status.PGMap.BytesTotal > 0, err
	})
	owner := map[string]bool{"osd_df": true, "osd_ok-to-stop": true, "pool_stats": true}
	for name, cmd := range recorded() {
		send := client.Mon
		if owner[name] {
			send = client.Mgr
		}
		reply, err := send(t.Context(), cmd)
		if len(reply.Body) == 0 {
			t.Fatalf("%s: no body, %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), append(reply.Body, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
