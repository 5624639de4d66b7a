//go:build librados && integration

package librados_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func TestDialTellsWhyItFails(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.Mgrs())
	at, admin := cluster.Connection(), cluster.Admin()
	elsewhere, other := at, at
	elsewhere.MonHost = "v2:127.0.0.1:1"
	other.FSID = "00000000-1111-4222-8333-444444444444"
	for name, test := range map[string]struct {
		at   api.Connection
		key  keyring.Key
		want error
	}{
		"no address":     {api.Connection{}, admin, ceph.ErrInvalid},
		"no secret":      {at, keyring.Key{Entity: "client.admin"}, ceph.ErrInvalid},
		"no client":      {at, keyring.Key{Entity: "mon.", Secret: admin.Secret}, ceph.ErrInvalid},
		"no such user":   {at, keyring.Key{Entity: "client.nobody", Secret: admin.Secret}, ceph.ErrDenied},
		"silent address": {elsewhere, admin, ceph.ErrUnreachable},
		"other cluster":  {other, admin, ceph.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := librados.Dialer{ConnectTimeout: time.Second}.Dial(t.Context(), test.at, test.key)
			if !errors.Is(err, test.want) {
				t.Errorf("want %v, got %v", test.want, err)
			}
			if err != nil && bytes.Contains([]byte(err.Error()), []byte(admin.Secret)) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	key := keyring.Key{Entity: "client.admin", Secret: secretOne}
	_, err := librados.Dialer{ConnectTimeout: 5 * time.Second}.Dial(ctx, api.Connection{MonHost: "v2:127.0.0.1:1"}, key)
	if !errors.Is(err, ceph.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want ErrUnreachable and DeadlineExceeded, got %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Dial took %s", took)
	}
}

func TestACallEndsWithItsContextAndALateCommandIsTakenBack(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.Mgrs())
	conn := dial(t, cluster, librados.Dialer{MonTimeout: time.Second})
	client := ceph.Client{Conn: conn}
	cluster.Pause("mon.a")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := client.ConfigKeySet(ctx, "late", []byte("x")); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("want ErrUnreachable, got %v", err)
	}
	if err := client.ConfigKeySet(t.Context(), "timeout", []byte("x")); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("a mon command that librados gave up: want ErrUnreachable, got %v", err)
	}
	cluster.Resume("mon.a")
	cluster.Await("the mon answers again", func(ctx context.Context) (bool, error) {
		_, err := client.QuorumStatus(ctx)
		return err == nil, err
	})
}

// TestACommandSurvivesTheLossOfTheMgr holds the reason for the second handle: a
// mgr command must not time out inside librados, which then corrupts memory as
// soon as the mgr answers late, or the next mgr does.
func TestACommandSurvivesTheLossOfTheMgr(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.OSDs(1))
	conn := dial(t, cluster, librados.Dialer{MonTimeout: time.Second})
	client := ceph.Client{Conn: conn}
	hang := func(patience time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, err := client.OSDDF(ctx); !errors.Is(err, ceph.ErrUnreachable) {
			t.Errorf("mgr command to a mgr that hangs: want ErrUnreachable, got %v", err)
		}
	}
	works := func(ctx context.Context) (bool, error) {
		_, err := client.OSDDF(ctx)
		return err == nil, err
	}
	cluster.Pause("mgr.x")
	hang(200 * time.Millisecond)
	hang(1500 * time.Millisecond)
	cluster.Resume("mgr.x")
	cluster.Await("the mgr answers late", works)
	cluster.Pause("mgr.x")
	hang(1500 * time.Millisecond)
	cluster.Kill("mgr.x")
	cluster.Await("the mons notice", func(ctx context.Context) (bool, error) {
		dump, err := client.MgrDump(ctx)
		return !dump.Available, err
	})
	start := time.Now()
	if err := client.BalancerOff(t.Context()); !errors.Is(err, ceph.ErrUnreachable) || time.Since(start) > 2*time.Second {
		t.Errorf("mgr command without a mgr: want ErrUnreachable at once, got %v after %s", err, time.Since(start))
	}
	cluster.Restart("mgr.x")
	cluster.Await("the next mgr answers", works)
}

func TestAConnectionFollowsTheMonmap(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.Mons("a"), real.Mgrs())
	conn := dial(t, cluster, librados.Dialer{})
	client := ceph.Client{Conn: conn}
	cluster.AddMon("b")
	cluster.AddMon("c")
	cluster.RemoveMon("a")
	cluster.Await("b and c are the quorum", func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		quorum, err := client.QuorumStatus(ctx)
		return len(quorum.QuorumNames) == 2 && len(quorum.MonMap.Mons) == 2, err
	})
}

func TestACloseEndsCallsInFlight(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.Mgrs())
	conn := dial(t, cluster, librados.Dialer{MonTimeout: time.Second})
	cluster.Pause("mon.a")
	done := make(chan error, 1)
	go func() {
		_, err := ceph.Client{Conn: conn}.Status(context.WithoutCancel(t.Context()))
		done <- err
	}()
	conn.Close()
	conn.Close()
	if err := <-done; !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("call in flight: want ErrUnreachable, got %v", err)
	}
	if _, err := (ceph.Client{Conn: conn}).Status(t.Context()); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("call after Close: want ErrUnreachable, got %v", err)
	}
	cluster.Resume("mon.a")
}

func TestAnIdleConnectionIsSmall(t *testing.T) {
	cluster := real.Start(t, librados.Dialer{}, real.OSDs(1))
	none := pss(t)
	first := dial(t, cluster, librados.Dialer{})
	before := pss(t)
	t.Logf("the first connection beside that of the test costs %d KiB of PSS, the test as a whole %d KiB", before-none, none)
	const more = 4
	for range more {
		conn := dial(t, cluster, librados.Dialer{})
		if _, err := (ceph.Client{Conn: conn}).Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	each := (pss(t) - before) / more
	t.Logf("a further connection costs %d KiB of PSS", each)
	if each > 6<<10 {
		t.Errorf("a connection costs %d KiB, want at most 6 MiB", each)
	}
	if _, err := (ceph.Client{Conn: first}).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func dial(t testing.TB, cluster *real.Cluster, dialer librados.Dialer) ceph.Conn {
	t.Helper()
	conn, err := dialer.Dial(t.Context(), cluster.Connection(), cluster.Admin())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// pss is the proportional memory of this process in KiB.
func pss(t *testing.T) int {
	t.Helper()
	rollup, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		t.Skip(err)
	}
	for _, line := range bytes.Split(rollup, []byte("\n")) {
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "Pss:" {
			value, err := strconv.Atoi(string(fields[1]))
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatal("no Pss line")
	return 0
}

func BenchmarkCalls(b *testing.B) {
	cluster := real.Start(b, librados.Dialer{}, real.OSDs(3))
	client := ceph.Client{Conn: dial(b, cluster, librados.Dialer{})}
	ctx := b.Context()
	for name, do := range map[string]func() error{
		"quorum_status": func() error { _, err := client.QuorumStatus(ctx); return err },
		"status":        func() error { _, err := client.Status(ctx); return err },
		"osd tree":      func() error { _, err := client.OSDTree(ctx); return err },
		"osd df (mgr)":  func() error { _, err := client.OSDDF(ctx); return err },
		"config set":    func() error { return client.ConfigSet(ctx, "osd", "osd_max_backfills", "1") },
		"connect": func() error {
			conn, err := librados.Dialer{}.Dial(ctx, cluster.Connection(), cluster.Admin())
			if err == nil {
				conn.Close()
			}
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
