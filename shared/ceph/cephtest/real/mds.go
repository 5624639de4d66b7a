package real

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// MDSs names the metadata servers; none is the default. They are standbys until
// there is a file system.
func MDSs(names ...string) Option { return func(o *options) { o.mdss = names } }

var errNoRank = errors.New("no metadata server is active")

func (c *Cluster) startMDSs(ctx context.Context) error {
	for _, name := range c.options.mdss {
		if err := c.startMDS(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startMDS(ctx context.Context, name string) error {
	entity := "mds." + name
	user, err := c.Client().AuthGetOrCreate(ctx, entity, keyring.Caps{
		"mon": "allow profile mds", "mgr": "allow profile mds", "osd": "allow rw tag cephfs *=*", "mds": "allow",
	})
	if err != nil {
		return fmt.Errorf("make %s: %w", entity, err)
	}
	c.keys[entity] = user.Key()
	if err := c.writeFile(entity+".keyring", keyring.Render(user.Key(), nil)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, entity), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", entity, err)
	}
	d := &daemon{name: entity, args: c.args("mds", name)}
	c.daemons = append(c.daemons, d)
	return c.launch(d)
}

// AddMDS starts one more metadata server. It does not wait until it is up.
func (c *Cluster) AddMDS(name string) {
	c.t.Helper()
	if err := c.startMDS(c.t.Context(), name); err != nil {
		c.t.Fatal(err)
	}
}

// AddFilesystem makes a file system with the pools <name>-metadata and
// <name>-data, and waits until a metadata server is active in it.
func (c *Cluster) AddFilesystem(name string) {
	c.t.Helper()
	ctx := c.t.Context()
	for _, pool := range []string{name + "-metadata", name + "-data"} {
		spec := ceph.PoolSpec{Name: pool, PGNum: 4, AutoscaleMode: "off"}
		if err := c.Client().PoolCreate(ctx, spec, ceph.Unconfirmed); err != nil {
			c.t.Fatalf("make pool %s: %v", pool, err)
		}
	}
	_, err := c.conn.Mon(ctx, ceph.Command{Prefix: "fs new", Args: map[string]any{
		"fs_name": name, "metadata": name + "-metadata", "data": name + "-data",
	}})
	if err != nil {
		c.t.Fatalf("make file system %s: %v", name, err)
	}
	c.Await("file system "+name+" is served", func(ctx context.Context) (bool, error) { return c.served(ctx, name) })
}

// served tells whether every rank of a file system is active.
func (c *Cluster) served(ctx context.Context, name string) (bool, error) {
	reply, err := c.conn.Mon(ctx, ceph.Command{Prefix: "fs get", Args: map[string]any{"fs_name": name}})
	if err != nil {
		return false, err
	}
	var got struct {
		Map struct {
			In   []int `json:"in"`
			Info map[string]struct {
				State string `json:"state"`
			} `json:"info"`
		} `json:"mdsmap"`
	}
	if err := json.Unmarshal(reply.Body, &got); err != nil {
		return false, fmt.Errorf("decode fs get: %w", err)
	}
	active := 0
	for _, daemon := range got.Map.Info {
		if daemon.State == "up:active" {
			active++
		}
	}
	if active == 0 {
		return false, errNoRank
	}
	return active == len(got.Map.In), nil
}
