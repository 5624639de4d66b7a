package real

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// monAddress is a mon with its msgr2 address.
type monAddress struct {
	name string
	host string
	port int
}

func (m monAddress) String() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// makeDir makes the data directory, in memory where there is room, since mons
// wait for the disk at every change.
func (c *Cluster) makeDir(context.Context) error {
	base := "/dev/shm"
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		base = ""
	}
	removeOrphans(base)
	dir, err := os.MkdirTemp(base, fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	c.dir = dir
	for _, sub := range []string{"log", "run"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	for _, name := range c.options.mons {
		mon, err := c.newAddress(name)
		if err != nil {
			return err
		}
		c.mons = append(c.mons, mon)
	}
	return nil
}

const dirPrefix = "ceph-test-"

// removeOrphans removes the directories of test processes that were killed
// before they could clean up. Their daemons died with them.
func removeOrphans(base string) {
	if base == "" {
		base = os.TempDir()
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), dirPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		if !ours || pid == "" {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = os.RemoveAll(filepath.Join(base, entry.Name()))
		}
	}
}

var errNoPort = errors.New("no free port")

// newAddress finds a free address for a mon.
func (c *Cluster) newAddress(name string) (monAddress, error) {
	port, err := freePort(c.options.address)
	return monAddress{name: name, host: c.options.address, port: port}, err
}

// freePort finds a port of a local address below those that the kernel gives to
// clients, since a mon that restarts needs its port again.
func freePort(host string) (int, error) {
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(12000))
		if err != nil {
			return 0, fmt.Errorf("choose port: %w", err)
		}
		port := 20000 + int(n.Int64())
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			_ = listener.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("choose port of %s: %w", host, errNoPort)
}

func (c *Cluster) monHost() string {
	hosts := make([]string, 0, len(c.mons))
	for _, mon := range c.mons {
		hosts = append(hosts, "v2:"+mon.String())
	}
	return strings.Join(hosts, ",")
}

// key returns the key of an entity, made on first use.
func (c *Cluster) key(entity string) (keyring.Key, error) {
	if key, made := c.keys[entity]; made {
		return key, nil
	}
	key, err := keyring.Generate(entity, rand.Reader, time.Unix(1700000000, 0))
	if err == nil {
		c.keys[entity] = key
	}
	return key, err
}

// sections is the cluster's configuration: what a test cluster needs to start
// fast, to be small and to notice changes within a second or two.
func (c *Cluster) sections() map[string]map[string]string {
	inside := c.from.inside(c.dir)
	var names []string
	for _, mon := range c.mons {
		names = append(names, mon.name)
	}
	sections := map[string]map[string]string{
		"global": {
			"fsid": c.fsid, "mon_host": c.monHost(), "mon_initial_members": strings.Join(names, ","),
			"run_dir": inside + "/run", "admin_socket": inside + "/run/$name.asok", "crash_dir": inside + "/run",
			"log_file": inside + "/log/$name.log", "log_to_stderr": "false", "mon_cluster_log_file": "",
			"keyring": inside + "/$name.keyring", "public_addr": c.options.address,
			"ms_async_op_threads": "1", "osd_pool_default_size": strconv.Itoa(max(1, min(3, c.options.osds))),
			"osd_pool_default_pg_num": "8", "auth_allow_insecure_global_id_reclaim": "false",
		},
		"mon": {
			"mon_data": inside + "/mon.$id", "mon_data_avail_warn": "1", "mon_data_avail_crit": "0",
			"paxos_propose_interval": "0.05", "paxos_min_wait": "0.01", "mon_election_timeout": "1",
			"mon_tick_interval": "1", "mon_lease": "2", "mgr_initial_modules": "", "mon_max_pg_per_osd": "1000",
			"mon_mgr_beacon_grace": "8", "mon_osd_min_down_reporters": "1", "mon_osd_report_timeout": "60",
			"mon_sync_provider_timeout": "5", "mon_subscribe_interval": "5",
		},
		"mgr": {
			"mgr_data": inside + "/mgr.$id", "mgr_tick_period": "1", "mgr_stats_period": "1",
			"mgr_beacon_period": "1",
		},
		"mds": {
			"mds_data": inside + "/mds.$id", "mds_beacon_interval": "1", "mds_beacon_grace": "8",
			"mds_cache_memory_limit": "134217728", "mds_log_max_segments": "16",
		},
		"osd": {
			"osd_data": inside + "/osd.$id", "osd_objectstore": c.options.objectstore,
			"osd_op_num_shards": "1", "osd_op_num_threads_per_shard": "1", "osd_mon_report_interval": "1",
			"memstore_device_bytes": "1073741824", "bluestore_block_size": "2147483648",
			"bluestore_block_wal_create": "false", "bluestore_block_db_create": "false",
			"osd_memory_target": "939524096", "bluestore_prefer_deferred_size": "0",
			"osd_crush_initial_weight": "1", "osd_heartbeat_interval": "1", "osd_heartbeat_grace": "5",
			"osd_fast_shutdown": "true", "osd_mclock_skip_benchmark": "true",
		},
	}
	for name, values := range c.options.settings {
		if sections[name] == nil {
			sections[name] = map[string]string{}
		}
		maps.Copy(sections[name], values)
	}
	return sections
}

func (c *Cluster) writeConfig(context.Context) error {
	var text strings.Builder
	sections := c.sections()
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		fmt.Fprintf(&text, "[%s]\n", section)
		for _, name := range slices.Sorted(maps.Keys(sections[section])) {
			fmt.Fprintf(&text, "%s = %s\n", name, sections[section][name])
		}
	}
	return c.writeFile("ceph.conf", text.String())
}

func (c *Cluster) writeFile(name, content string) error {
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
