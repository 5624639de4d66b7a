package real

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// all runs work for every item at the same time and returns the first error in
// order of the items.
func all[T any](items []T, work func(T) error) error {
	results := make([]chan error, len(items))
	for i, item := range items {
		results[i] = make(chan error, 1)
		go func() { results[i] <- work(item) }()
	}
	var first error
	for _, result := range results {
		if err := <-result; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// args is the command line of a daemon, which stays in the foreground.
func (c *Cluster) args(role, id string, more ...string) []string {
	return append([]string{"ceph-" + role, "-c", c.Inside("ceph.conf"), "-i", id, "-f"}, more...)
}

func (c *Cluster) startMons(ctx context.Context) error {
	seed, err := c.seedKeyring()
	if err != nil {
		return err
	}
	if err := c.writeFile("seed.keyring", seed); err != nil {
		return err
	}
	if err := c.makeMonMap(ctx); err != nil {
		return err
	}
	if err := all(c.mons, func(mon monAddress) error { return c.makeMon(ctx, mon) }); err != nil {
		return err
	}
	for _, mon := range c.mons {
		if err := c.runMon(mon); err != nil {
			return err
		}
	}
	return nil
}

// seedKeyring is the identities that the first mons are born with.
func (c *Cluster) seedKeyring() (string, error) {
	caps := map[string]keyring.Caps{
		"mon.":         {"mon": "allow *"},
		"client.admin": {"mon": "allow *", "mgr": "allow *", "osd": "allow *", "mds": "allow *"},
	}
	for _, name := range c.options.mgrs {
		caps["mgr."+name] = keyring.Caps{"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"}
	}
	var seed strings.Builder
	for entity, granted := range caps {
		key, err := c.key(entity)
		if err != nil {
			return "", err
		}
		seed.WriteString(keyring.Render(key, granted))
	}
	return seed.String(), nil
}

func (c *Cluster) makeMon(ctx context.Context, mon monAddress) error {
	if err := os.MkdirAll(filepath.Join(c.dir, "mon."+mon.name), 0o755); err != nil {
		return fmt.Errorf("make mon %s: %w", mon.name, err)
	}
	_, err := c.Tool(ctx, c.args("mon", mon.name, "--mkfs", "--keyring", c.Inside("seed.keyring"),
		"--monmap", c.Inside("monmap"))...)
	return err
}

// makeMonMap writes the first monmap. Ceph 20.2.4 lets only aes256k keys log
// in to a new cluster, which no librados before it can make, so the map allows
// the older kind too.
func (c *Cluster) makeMonMap(ctx context.Context) error {
	args := []string{"monmaptool", "--create", "--clobber", "--fsid", c.fsid}
	help, err := c.Tool(ctx, "monmaptool", "--help")
	if err != nil && len(help) == 0 {
		return err
	}
	if strings.Contains(string(help), "--auth-allowed-ciphers") {
		args = append(args, "--auth-allowed-ciphers", "aes,aes256k",
			"--auth-service-cipher", "aes", "--auth-preferred-cipher", "aes")
	}
	for _, mon := range c.mons {
		args = append(args, "--addv", mon.name, "[v2:"+mon.String()+"]")
	}
	_, err = c.Tool(ctx, append(args, c.Inside("monmap"))...)
	return err
}

func (c *Cluster) runMon(mon monAddress) error {
	d := &daemon{name: "mon." + mon.name, args: c.args("mon", mon.name,
		"--keyring", c.Inside("seed.keyring"), "--public-addr", "v2:"+mon.String())}
	c.daemons = append(c.daemons, d)
	return c.launch(d)
}

// AddMon starts one more mon and waits until it is in quorum.
func (c *Cluster) AddMon(name string) {
	c.t.Helper()
	mon, err := c.newAddress(name)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mons = append(c.mons, mon)
	c.saveMonMap()
	if err := c.makeMon(c.t.Context(), mon); err != nil {
		c.t.Fatal(err)
	}
	if err := c.runMon(mon); err != nil {
		c.t.Fatal(err)
	}
	client := c.Client()
	c.Await("mon "+name+" is in quorum", func(ctx context.Context) (bool, error) {
		quorum, err := client.QuorumStatus(ctx)
		return slices.Contains(quorum.QuorumNames, name), err
	})
}

// RemoveMon ends a mon, takes it out of the map, and waits until all others are
// the quorum. The order matters: a mon that leaves the map while it runs may
// take others down, which abort when it talks to them once more.
func (c *Cluster) RemoveMon(name string) {
	c.t.Helper()
	c.Stop("mon." + name)
	c.mons = slices.DeleteFunc(c.mons, func(mon monAddress) bool { return mon.name == name })
	client := c.Client()
	c.Await("mon "+name+" is out of the map", func(ctx context.Context) (bool, error) {
		err := client.MonRemove(ctx, name)
		return err == nil, err
	})
	c.Await("all other mons are in quorum", func(ctx context.Context) (bool, error) {
		quorum, err := client.QuorumStatus(ctx)
		return len(quorum.QuorumNames) == len(c.mons), err
	})
}

// saveMonMap replaces the monmap file by the one that the mons agreed on.
func (c *Cluster) saveMonMap() {
	c.t.Helper()
	reply, err := c.conn.Mon(c.t.Context(), ceph.Command{Prefix: "mon getmap"})
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, "monmap"), reply.Body, 0o600)
	}
	if err != nil {
		c.t.Fatalf("save monmap: %v", err)
	}
}

func (c *Cluster) startMgrs(context.Context) error {
	for _, name := range c.options.mgrs {
		key, err := c.key("mgr." + name)
		if err != nil {
			return err
		}
		if err := c.writeFile("mgr."+name+".keyring", keyring.Render(key, nil)); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(c.dir, "mgr."+name), 0o755); err != nil {
			return fmt.Errorf("make mgr %s: %w", name, err)
		}
		d := &daemon{name: "mgr." + name, args: c.args("mgr", name)}
		c.daemons = append(c.daemons, d)
		if err := c.launch(d); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startOSDs(ctx context.Context) error {
	ids := make([]int, c.options.osds)
	for i := range ids {
		id, err := c.makeOSD(ctx)
		if err != nil {
			return err
		}
		ids[i] = id
	}
	if err := all(ids, func(id int) error { return c.formatOSD(ctx, id) }); err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.runOSD(id); err != nil {
			return err
		}
	}
	return nil
}

// makeOSD registers an OSD and prepares its directory.
func (c *Cluster) makeOSD(ctx context.Context) (int, error) {
	uuid := newUUID()
	key, err := c.key("osd-" + uuid)
	if err != nil {
		return 0, err
	}
	id, err := c.Client().OSDNew(ctx, ceph.OSDNewRequest{UUID: uuid, CephxSecret: key.Secret})
	if err != nil {
		return 0, err
	}
	name := "osd." + strconv.Itoa(id)
	c.keys[name] = keyring.Key{Entity: name, Secret: key.Secret}
	if err := c.writeFile(name+".keyring", keyring.Render(c.keys[name], nil)); err != nil {
		return 0, err
	}
	return id, c.writeFile(filepath.Join(name, "fsid"), uuid+"\n")
}

func (c *Cluster) formatOSD(ctx context.Context, id int) error {
	uuid, err := os.ReadFile(filepath.Join(c.dir, "osd."+strconv.Itoa(id), "fsid"))
	if err != nil {
		return fmt.Errorf("format osd.%d: %w", id, err)
	}
	_, err = c.Tool(ctx, c.args("osd", strconv.Itoa(id), "--mkfs", "--osd-uuid", strings.TrimSpace(string(uuid)))...)
	return err
}

func (c *Cluster) runOSD(id int) error {
	location := fmt.Sprintf("--crush-location=root=default host=host%d", id)
	d := &daemon{name: "osd." + strconv.Itoa(id), args: c.args("osd", strconv.Itoa(id), location)}
	c.daemons = append(c.daemons, d)
	return c.launch(d)
}

// AddOSD makes and starts one more OSD, waits until it is up, and returns its
// id.
func (c *Cluster) AddOSD() int {
	c.t.Helper()
	ctx := c.t.Context()
	id, err := c.makeOSD(ctx)
	if err == nil {
		err = c.formatOSD(ctx, id)
	}
	if err == nil {
		err = c.runOSD(id)
	}
	if err != nil {
		c.t.Fatalf("add OSD: %v", err)
	}
	c.AwaitOSD(id)
	return id
}

// AwaitOSD waits until an OSD is up.
func (c *Cluster) AwaitOSD(id int) {
	c.t.Helper()
	client := c.Client()
	c.Await(fmt.Sprintf("osd.%d is up", id), func(ctx context.Context) (bool, error) {
		dump, err := client.OSDDump(ctx)
		return slices.ContainsFunc(dump.OSDs, func(o ceph.OSDState) bool { return o.ID == id && bool(o.Up) }), err
	})
}
