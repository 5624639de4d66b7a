package real

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// StartTimeout is how long Start waits for all daemons to be up.
const StartTimeout = 90 * time.Second

// loopback is where daemons listen unless a test asks for another address.
const loopback = "127.0.0.1"

// Cluster is a running Ceph cluster of real daemons.
type Cluster struct {
	t       testing.TB
	dialer  ceph.Dialer
	from    installation
	dir     string
	options options
	fsid    string
	keys    map[string]keyring.Key
	mons    []monAddress
	daemons []*daemon
	conn    ceph.Conn
}

type options struct {
	release     string
	mons        []string
	mgrs        []string
	mdss        []string
	osds        int
	address     string
	objectstore string
	settings    map[string]map[string]string
}

// Option shapes a cluster.
type Option func(*options)

// Release picks one of Releases.
func Release(name string) Option { return func(o *options) { o.release = name } }

// Mons names the mons; one mon "a" is the default.
func Mons(names ...string) Option { return func(o *options) { o.mons = names } }

// Mgrs names the mgrs; one mgr "x" is the default, none are allowed.
func Mgrs(names ...string) Option { return func(o *options) { o.mgrs = names } }

// Address is where all daemons listen, an IPv4 address of this machine in place of
// 127.0.0.1: for clients to whom loopback is themselves.
func Address(ip string) Option { return func(o *options) { o.address = ip } }

// OSDs sets how many OSDs there are, each on a CRUSH host of its own: host0,
// host1, ... None is the default.
func OSDs(n int) Option { return func(o *options) { o.osds = n } }

// BlueStore makes OSDs keep their data in small BlueStore files in place of
// memory, so that they survive Kill and Restart.
func BlueStore() Option { return func(o *options) { o.objectstore = "bluestore" } }

// Setting adds an option to a section of the cluster's ceph.conf.
func Setting(section, name, value string) Option {
	return func(o *options) {
		if o.settings[section] == nil {
			o.settings[section] = map[string]string{}
		}
		o.settings[section][name] = value
	}
}

// Start runs a cluster until the test ends. It returns when all mons are in
// quorum, a mgr is active and all OSDs are up. It fails the test when there is
// no Ceph to start, and skips it when the wanted release is not there.
func Start(t testing.TB, dialer ceph.Dialer, list ...Option) *Cluster {
	t.Helper()
	chosen := options{
		mons: []string{"a"}, mgrs: []string{"x"}, objectstore: "memstore", address: loopback,
		settings: map[string]map[string]string{},
	}
	for _, option := range list {
		option(&chosen)
	}
	from, found := choose(chosen.release)
	switch {
	case !found && chosen.release != "" && len(Releases()) > 0:
		t.Skipf("Ceph %s is not here, only %s", chosen.release, strings.Join(Releases(), ", "))
	case !found:
		t.Fatalf("no Ceph daemons to start: build a root file system, set %s, or install ceph-mon, ceph-mgr and ceph-osd", rootfsVariable)
	case os.Geteuid() != 0:
		t.Fatal("starting Ceph daemons takes root")
	}
	c := &Cluster{t: t, dialer: dialer, from: from, options: chosen, fsid: newUUID(), keys: map[string]keyring.Key{}}
	ctx, cancel := context.WithTimeout(t.Context(), StartTimeout)
	defer cancel()
	t.Cleanup(c.close)
	if err := c.start(ctx); err != nil {
		t.Fatalf("start Ceph: %v", err)
	}
	return c
}

func (c *Cluster) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		c.makeDir, c.writeConfig, c.startMons, c.connect, c.startMgrs, c.startOSDs, c.startMDSs, c.awaitUp,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends all daemons and removes their data. After a failure the ends of
// their logs go to the test's log.
func (c *Cluster) close() {
	if c.conn != nil {
		c.conn.Close()
	}
	for _, d := range c.daemons {
		d.end(syscall.SIGKILL, time.Second)
		if c.t.Failed() {
			c.t.Logf("%s:%s", d.name, c.logTail(d.name))
		}
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}

// Connection returns how to reach the cluster.
func (c *Cluster) Connection() api.Connection {
	connection := api.Connection{FSID: c.fsid, MonHost: c.monHost()}
	for _, mon := range c.mons {
		connection.Endpoints = append(connection.Endpoints, api.MonitorEndpoint{Name: mon.name, Address: mon.host, V2Port: int32(mon.port)})
	}
	return connection
}

// Admin returns the key of client.admin.
func (c *Cluster) Admin() keyring.Key { return c.keys["client.admin"] }

// Client returns a client that is client.admin. It lives as long as the test.
func (c *Cluster) Client() ceph.Client { return ceph.Client{Conn: c.conn} }

// Release returns the release that runs, as Releases names it.
func (c *Cluster) Release() string { return c.from.release }

// FSID returns the cluster's id.
func (c *Cluster) FSID() string { return c.fsid }

// Dir is the cluster's data directory on the host.
func (c *Cluster) Dir() string { return c.dir }

// connect dials until a mon answers.
func (c *Cluster) connect(ctx context.Context) error {
	return c.await(ctx, "a mon answers", func(ctx context.Context) (bool, error) {
		conn, err := c.dialer.Dial(ctx, c.Connection(), c.Admin())
		if err != nil {
			return false, err
		}
		c.conn = conn
		return true, nil
	})
}

func (c *Cluster) awaitUp(ctx context.Context) error {
	client := c.Client()
	return c.await(ctx, "all daemons are up", func(ctx context.Context) (bool, error) {
		status, err := client.Status(ctx)
		if err != nil {
			return false, err
		}
		missing := fmt.Errorf("%d mons in quorum, mgr active: %t, %d OSDs up",
			len(status.QuorumNames), status.MgrMap.Available, status.OSDMap.NumUpOSDs)
		ready := len(status.QuorumNames) == len(c.mons) && status.OSDMap.NumUpOSDs >= c.options.osds &&
			(status.MgrMap.Available || len(c.options.mgrs) == 0)
		return ready, missing
	})
}

// await polls until check is true. Its last error says what was missing.
func (c *Cluster) await(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := check(ctx)
		if done {
			return nil
		}
		if dead := c.Alive(); dead != nil {
			return fmt.Errorf("wait until %s: %w", what, dead)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w: %w", what, context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// Await polls until check is true. It fails the test after a minute, with the
// last error of check, or when a daemon ends that nobody stopped.
func (c *Cluster) Await(what string, check func(context.Context) (bool, error)) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	if err := c.await(ctx, what, check); err != nil {
		c.t.Fatal(err)
	}
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
