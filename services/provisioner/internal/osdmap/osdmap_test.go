package osdmap_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
)

// counting tells how often each command was sent, and holds "osd stat" back.
type counting struct {
	ceph.Conn
	hold chan struct{}

	mu   sync.Mutex
	sent map[string]int
	err  error
}

func (c *counting) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	c.mu.Lock()
	c.sent[cmd.Prefix]++
	err := c.err
	c.mu.Unlock()
	if cmd.Prefix == "osd stat" && c.hold != nil {
		<-c.hold
	}
	if err != nil {
		return ceph.Reply{}, err
	}
	return c.Conn.Mon(ctx, cmd)
}

func (c *counting) count(prefix string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[prefix]
}

func start(t *testing.T) (*counting, ceph.Client) {
	t.Helper()
	cluster := cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3))
	conn := &counting{Conn: cluster.Client().Conn, sent: map[string]int{}}
	return conn, ceph.Client{Conn: conn}
}

func TestAKnownEpochCostsOneCommand(t *testing.T) {
	conn, client := start(t)
	maps := &osdmap.Maps{}
	if _, err := maps.Get(t.Context(), "ns", client); err != nil {
		t.Fatal(err)
	}
	dumps := conn.count("osd crush rule dump")
	if _, err := maps.Get(t.Context(), "ns", client); err != nil {
		t.Fatal(err)
	}
	if got := conn.count("osd crush rule dump"); got != dumps {
		t.Errorf("rules were read again at the same epoch (%d, then %d)", dumps, got)
	}
	if err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: "p", PGNum: 1}, ceph.Unconfirmed); err != nil {
		t.Fatal(err)
	}
	now, err := maps.Get(t.Context(), "ns", client)
	if err != nil {
		t.Fatal(err)
	}
	if now.Pools["p"] == nil {
		t.Error("a pool that was made before the call is missing")
	}
	for name, rule := range now.Rules {
		if now.RulesByID[rule.ID] != rule {
			t.Errorf("rule %s is not found by its number", name)
		}
	}
}

func TestCallersOfOneMomentShareARound(t *testing.T) {
	conn, client := start(t)
	conn.hold = make(chan struct{})
	maps := &osdmap.Maps{}
	const callers = 20
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			if _, err := maps.Get(context.Background(), "ns", client); err != nil {
				t.Error(err)
			}
		})
	}
	close(conn.hold)
	group.Wait()
	if got := conn.count("osd crush rule dump"); got != 1 {
		t.Errorf("%d callers read the rules %d times", callers, got)
	}
}

func TestAFailedRoundIsNotRemembered(t *testing.T) {
	conn, client := start(t)
	conn.err = ceph.ErrUnreachable
	maps := &osdmap.Maps{}
	if _, err := maps.Get(t.Context(), "ns", client); !errors.Is(err, ceph.ErrUnreachable) {
		t.Fatalf("got %v", err)
	}
	conn.err = nil
	if _, err := maps.Get(t.Context(), "ns", client); err != nil {
		t.Error(err)
	}
	maps.Forget("ns")
	before := conn.count("osd crush rule dump")
	if _, err := maps.Get(t.Context(), "ns", client); err != nil || conn.count("osd crush rule dump") == before {
		t.Errorf("a forgotten cluster was remembered (%v)", err)
	}
}
