package link_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// dialer counts, and answers once it may. Calls over its connections fail with
// the error that breaks them.
type dialer struct {
	mu     sync.Mutex
	dials  int
	err    error
	broken error
	open   chan struct{}
}

func (d *dialer) DialStorage(context.Context, api.Connection, keyring.Key) (storage.Cluster, error) {
	d.mu.Lock()
	d.dials++
	err := d.err
	d.mu.Unlock()
	<-d.open
	if err != nil {
		return nil, err
	}
	return cluster{storagetest.New("data"), d}, nil
}

// cluster is a connection that can be broken.
type cluster struct {
	storage.Cluster
	dialer *dialer
}

func (c cluster) Mon(context.Context, ceph.Command) (ceph.Reply, error) {
	return ceph.Reply{}, c.dialer.breakage()
}

func (c cluster) Pool(ctx context.Context, name, namespace string) (storage.Pool, error) {
	opened, err := c.Cluster.Pool(ctx, name, namespace)
	return pool{opened, c.dialer}, err
}

type pool struct {
	storage.Pool
	dialer *dialer
}

func (p pool) SetOmap(context.Context, string, map[string]string) error { return p.dialer.breakage() }

func (d *dialer) breakage() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// breaks makes calls fail from now on.
func (d *dialer) breaks(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

func (d *dialer) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dials
}

func (d *dialer) refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func opened() *dialer {
	d := &dialer{open: make(chan struct{})}
	close(d.open)
	return d
}

var (
	at  = api.Connection{FSID: "one", MonHost: "10.0.0.1"}
	key = keyring.Key{Entity: "client.a", Secret: "s1"}
)

func TestCallersOfOneIdentityShareADial(t *testing.T) {
	d := &dialer{open: make(chan struct{})}
	connections := &link.Connections{Dialer: d}
	const callers = 8
	got := make(chan storage.Cluster, callers)
	for range callers {
		go func() {
			cluster, err := connections.Get(context.Background(), at, key)
			if err != nil {
				t.Error(err)
			}
			got <- cluster
		}()
	}
	close(d.open)
	first := <-got
	for range callers - 1 {
		if <-got != first {
			t.Error("callers got different connections")
		}
	}
	if d.count() != 1 {
		t.Errorf("dialled %d times", d.count())
	}
}

func TestAnotherKeyOrClusterIsAnotherConnection(t *testing.T) {
	d := opened()
	connections := &link.Connections{Dialer: d}
	for _, step := range []struct {
		name string
		at   api.Connection
		key  keyring.Key
		keep []string
		same bool
	}{
		{name: "first", at: at, key: key},
		{name: "the same again", at: at, key: key, same: true},
		{name: "mons moved, same cluster", at: api.Connection{FSID: "one", MonHost: "10.0.0.2"}, key: key, same: true},
		{name: "rotated key", at: at, key: keyring.Key{Entity: "client.a", Secret: "s2"}},
		{name: "another user", at: at, key: keyring.Key{Entity: "client.b", Secret: "s1"}},
		{name: "another cluster", at: api.Connection{FSID: "two"}, key: keyring.Key{Entity: "client.b", Secret: "s1"}},
		{name: "kept", at: at, key: keyring.Key{Entity: "client.b", Secret: "s1"}, keep: []string{"one"}, same: true},
		{name: "gone", at: api.Connection{FSID: "two"}, key: keyring.Key{Entity: "client.b", Secret: "s1"}},
	} {
		before := d.count()
		if step.keep != nil {
			connections.Keep(step.keep)
		}
		if _, err := connections.Get(t.Context(), step.at, step.key); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if dialled := d.count() > before; dialled == step.same {
			t.Errorf("%s: dialled is %v", step.name, dialled)
		}
	}
}

func TestAConnectionIsGivenUpWhenItsCallsShowThatItIsOfNoUse(t *testing.T) {
	calls := map[string]func(storage.Cluster) error{
		"command": func(c storage.Cluster) error {
			_, err := c.Mon(t.Context(), ceph.Command{Prefix: "status"})
			return err
		},
		"pool": func(c storage.Cluster) error {
			opened, err := c.Pool(t.Context(), "data", "")
			if err != nil {
				return err
			}
			defer opened.Close()
			return opened.SetOmap(t.Context(), "object", map[string]string{"k": "v"})
		},
	}
	for name, call := range calls {
		for _, tc := range []struct {
			err   error
			dials int
		}{
			{nil, 1}, {ceph.ErrBusy, 1}, {ceph.ErrNotFound, 1}, {ceph.ErrDenied, 2}, {ceph.ErrUnreachable, 2},
		} {
			d := opened()
			connections := &link.Connections{Dialer: d}
			shared, err := connections.Get(t.Context(), at, key)
			if err != nil {
				t.Fatal(err)
			}
			d.breaks(tc.err)
			for range 2 { // the second one must not take its successor down
				if err := call(shared); !errors.Is(err, tc.err) {
					t.Errorf("%s: got %v, want %v", name, err, tc.err)
				}
				if _, err := connections.Get(t.Context(), at, key); err != nil {
					t.Fatal(err)
				}
			}
			if d.count() != tc.dials {
				t.Errorf("%s that ends with %v: %d dials, want %d", name, tc.err, d.count(), tc.dials)
			}
		}
	}
}

func TestAFailedDialIsTriedAgain(t *testing.T) {
	d := opened()
	d.refuse(ceph.ErrUnreachable)
	connections := &link.Connections{Dialer: d}
	if _, err := connections.Get(t.Context(), at, key); !errors.Is(err, ceph.ErrUnreachable) {
		t.Fatalf("got %v", err)
	}
	d.refuse(nil)
	if _, err := connections.Get(t.Context(), at, key); err != nil {
		t.Errorf("second try: %v", err)
	}
}

func TestACallerDoesNotWaitLongerThanItsContext(t *testing.T) {
	d := &dialer{open: make(chan struct{})}
	connections := &link.Connections{Dialer: d}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := connections.Get(ctx, at, key); err == nil {
		t.Error("a connection came from nowhere")
	}
	close(d.open)
	if _, err := connections.Get(t.Context(), at, key); err != nil {
		t.Errorf("the dial ended with its first caller: %v", err)
	}
}

// secrets is one Secret; it counts its readers.
type secrets struct {
	data  map[string]string
	reads int
}

func (s *secrets) Secret(_ context.Context, _, name string) (map[string]string, error) {
	s.reads++
	if s.data == nil {
		return nil, fmt.Errorf("no Secret %s", name)
	}
	return s.data, nil
}

func TestASessionReadsItsKeyAgainWhenTheClusterRefusesIt(t *testing.T) {
	const secret = "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA=="
	d := opened()
	stored := &secrets{data: map[string]string{"keyring": "[client.provisioner]\n\tkey = " + secret + "\n"}}
	sessions := &link.Sessions{Connections: &link.Connections{Dialer: d}, Secrets: stored}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", UID: "1"}}

	if _, err := sessions.Session(t.Context(), cluster); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("without monitors: got %v", err)
	}
	cluster.Status.Connection = &at
	d.refuse(ceph.ErrDenied)
	_, err := sessions.Session(t.Context(), cluster)
	if !errors.Is(err, ceph.ErrDenied) || !strings.Contains(err.Error(), "client.provisioner") {
		t.Errorf("a refused key: got %v", err)
	}
	d.refuse(nil)
	for range 2 {
		if _, err := sessions.Session(t.Context(), cluster); err != nil {
			t.Fatal(err)
		}
	}
	if stored.reads != 2 {
		t.Errorf("the Secret was read %d times, want once and once more after the refusal", stored.reads)
	}
}

func TestASessionReadsItsKeyAgainWhenACallIsRefused(t *testing.T) {
	d := opened()
	stored := &secrets{data: map[string]string{"keyring": "[client.provisioner]\n\tkey = AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==\n"}}
	sessions := &link.Sessions{Connections: &link.Connections{Dialer: d}, Secrets: stored}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", UID: "1"}}
	cluster.Status.Connection = &at
	for i, broken := range []error{nil, ceph.ErrBusy, ceph.ErrDenied, nil} {
		d.breaks(broken)
		session, err := sessions.Session(t.Context(), cluster)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.Mon(t.Context(), ceph.Command{Prefix: "status"}); !errors.Is(err, broken) {
			t.Errorf("call %d: got %v, want %v", i, err, broken)
		}
		session.Close() // must not close what others use
	}
	if stored.reads != 2 || d.count() != 2 {
		t.Errorf("the Secret was read %d times and dialled %d times, want twice each", stored.reads, d.count())
	}
}

func TestASessionNamesTheSecretItCannotUse(t *testing.T) {
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", UID: "1"}}
	cluster.Status.Connection = &at
	for name, data := range map[string]map[string]string{
		"missing": nil, "empty": {}, "broken": {"keyring": "[client.a"},
	} {
		sessions := &link.Sessions{Connections: &link.Connections{Dialer: opened()}, Secrets: &secrets{data: data}}
		_, err := sessions.Session(t.Context(), cluster)
		if err == nil || !strings.Contains(err.Error(), "Secret") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
