package cephtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// What a Cluster has unless an Option says otherwise. The secrets are well
// formed and worthless.
const (
	DefaultFSID      = "b9d3a0f4-7c55-4be1-9e0a-3f1f8c6d2a01"
	DefaultSecret    = "AQAAAAAAAAAAABAAAQIDBAUGBwgJCgsMDQ4PEA=="
	DefaultVersion   = "18.2.7"
	firstOSDMapEpoch = 1
)

// Cluster is a fake Ceph cluster. It is a ceph.Dialer. All methods are safe
// for concurrent use.
type Cluster struct {
	t  testing.TB
	mu sync.Mutex

	fsid    string
	version string
	admin   keyring.Key

	mons   monitors
	mgrs   managers
	mdss   mdss
	osds   osdmap
	crush  crushmap
	pools  pools
	users  map[string]ceph.AuthUser
	config map[string]map[string]string
	store  map[string][]byte
	health health
	logins map[string]ceph.DashboardUser
	// passwords of the logins.
	passwords map[string]string
	pgs       map[string]int
	balance   ceph.BalancerStatus
	tasks     []string

	volumes    map[string]*volume
	clonesHeld bool
	seconds    int
	gateways   int

	faults  []fault
	befores []before
	log     []Entry
}

// Option shapes a new Cluster.
type Option func(*Cluster)

// FSID sets the cluster's id.
func FSID(fsid string) Option { return func(c *Cluster) { c.fsid = fsid } }

// Version sets the Ceph version that all daemons run, such as "20.2.4".
func Version(version string) Option { return func(c *Cluster) { c.version = version } }

// AdminKey sets the key of client.admin.
func AdminKey(key keyring.Key) Option { return func(c *Cluster) { c.admin = key } }

// Mons starts mons with these names, all in quorum, at 10.0.0.1 and up.
func Mons(names ...string) Option {
	return func(c *Cluster) {
		for i, name := range names {
			c.startMon(name, fmt.Sprintf("10.0.0.%d", i+1))
		}
	}
}

// Mgrs starts mgrs with these names; the first one is active.
func Mgrs(names ...string) Option {
	return func(c *Cluster) {
		for _, name := range names {
			c.startMgr(name)
		}
	}
}

// OSDs makes and starts OSDs 0 to n-1 of 1 TiB, each on a host of its own:
// host0, host1, ...
func OSDs(n int) Option {
	return func(c *Cluster) {
		for id := range n {
			c.osds.add(id, fmt.Sprintf("00000000-0000-4000-8000-%012d", id), DefaultSecret)
			c.users[osdName(id)] = osdUser(id, DefaultSecret)
			c.startOSD(id, OSDStart{Host: fmt.Sprintf("host%d", id), Class: "hdd", Weight: 1})
		}
	}
}

// New makes a cluster. Without options it has no daemons and no monmap: it is
// born when the first mon starts.
func New(t testing.TB, options ...Option) *Cluster {
	c := &Cluster{
		t:         t,
		fsid:      DefaultFSID,
		version:   DefaultVersion,
		admin:     keyring.Key{Entity: "client.admin", Secret: DefaultSecret},
		users:     map[string]ceph.AuthUser{},
		config:    map[string]map[string]string{},
		store:     map[string][]byte{},
		logins:    map[string]ceph.DashboardUser{},
		passwords: map[string]string{},
		health:    newHealth(),
		crush:     newCrushmap(),
		pools:     newPools(),
		osds:      newOSDMap(),
		mgrs:      newManagers(),
		mdss:      newMDSs(),
		balance:   ceph.BalancerStatus{Active: true, Mode: "upmap"},
	}
	for _, option := range options {
		option(c)
	}
	c.setRelease()
	return c
}

// SetIdentity gives a cluster that is not yet born its fsid and admin key, as
// the arguments and keyring of the first mon would.
func (c *Cluster) SetIdentity(fsid string, admin keyring.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mons.epoch != 0 {
		c.t.Errorf("cephtest: SetIdentity after the first mon started")
		return
	}
	c.fsid, c.admin = fsid, admin
}

// FSID returns the cluster's id.
func (c *Cluster) FSID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fsid
}

// Admin returns the key of client.admin.
func (c *Cluster) Admin() keyring.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admin
}

// Upgrade makes every daemon report another version, as if all had restarted.
func (c *Cluster) Upgrade(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// Connection returns the address of the cluster as a status would publish it.
func (c *Cluster) Connection() api.Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return api.Connection{FSID: c.fsid, MonHost: c.mons.host()}
}

// Client returns a client of the cluster that is client.admin.
func (c *Cluster) Client() ceph.Client { return ceph.Client{Conn: &conn{cluster: c}} }

// Dial connects as the key's user. It fails with ErrUnreachable without quorum
// or when at names no mon of the cluster, with ErrDenied for a wrong key, and
// with ErrInvalid for another fsid.
func (c *Cluster) Dial(ctx context.Context, at api.Connection, key keyring.Key) (ceph.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ceph.Interrupted(ctx, "connect")
	}
	if err := c.takeFault("connect"); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	switch {
	case !c.mons.reachableAt(at.MonHost) || !c.mons.hasQuorum():
		return nil, ceph.NewError("connect", int(errTimedOut), "")
	case c.users[key.Entity].Secret != key.Secret || key.Secret == "":
		return nil, ceph.NewError("connect", int(errAccess), "")
	case at.FSID != "" && at.FSID != c.fsid:
		return nil, ceph.NewError("connect", int(errInvalid), "wrong fsid")
	}
	return &conn{cluster: c}, nil
}

// conn is one connection to the fake.
type conn struct {
	cluster *Cluster
	mu      sync.Mutex
	closed  bool
}

// Mon runs the command on the fake's mons.
func (n *conn) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return n.send(ctx, toMon, cmd)
}

// Mgr runs the command on the fake's active mgr.
func (n *conn) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return n.send(ctx, toMgr, cmd)
}

// Close ends the connection.
func (n *conn) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
}

func (n *conn) send(ctx context.Context, to target, cmd ceph.Command) (ceph.Reply, error) {
	if ctx.Err() != nil {
		return ceph.Reply{}, ceph.Interrupted(ctx, cmd.Prefix)
	}
	n.mu.Lock()
	closed := n.closed
	n.mu.Unlock()
	if closed {
		return ceph.Reply{}, fmt.Errorf("%s: %w: connection is closed", cmd.Prefix, ceph.ErrUnreachable)
	}
	return n.cluster.serve(to, cmd)
}

// fullVersion is what "versions" prints for a release.
func fullVersion(version string) string {
	return fmt.Sprintf("ceph version %s (fake) %s (stable)", version, releaseName(version))
}

func releaseName(version string) string {
	major, _, _ := strings.Cut(version, ".")
	names := map[string]string{"16": "pacific", "17": "quincy", "18": "reef", "19": "squid", "20": "tentacle"}
	return names[major]
}
