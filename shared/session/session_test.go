package session_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// counting counts how often it is dialled.
type counting struct {
	ceph.Dialer
	dialled int
}

func (c *counting) Dial(ctx context.Context, at api.Connection, key keyring.Key) (ceph.Conn, error) {
	c.dialled++
	return c.Dialer.Dial(ctx, at, key)
}

func rig(t *testing.T, objs ...client.Object) (*cephtest.Cluster, *session.Pool, *counting, *api.CephCluster) {
	fake := cephtest.New(t, cephtest.Mons("a"))
	fake.AddUser(ceph.AuthUser{Entity: "client.rook-osd-manager", Secret: cephtest.DefaultSecret})
	dialer := &counting{Dialer: fake}
	at := fake.Connection()
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "test"}, Status: api.ClusterStatus{Connection: &at}}
	return fake, &session.Pool{Service: "osd-manager", Secrets: testenv.Fake(t, objs...).Build(), Dialer: dialer}, dialer, cluster
}

func secret() *corev1.Secret {
	file := keyring.Render(keyring.Key{Entity: "client.rook-osd-manager", Secret: cephtest.DefaultSecret}, nil)
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: names.ServiceKeyring("osd-manager")},
		Data: map[string][]byte{"keyring": []byte(file)}}
}

func TestOneConnectionServesAllUntilItBreaks(t *testing.T) {
	fake, pool, dialer, cluster := rig(t, secret())
	use := func() error {
		conn, outcome, err := pool.Client(t.Context(), cluster)
		if err != nil || !outcome.IsDone() {
			t.Fatalf("%+v, %v", outcome, err)
		}
		defer conn.Close() // must not close what others use
		_, err = conn.OSDStat(t.Context())
		return err
	}
	for range 3 {
		if err := use(); err != nil {
			t.Fatal(err)
		}
	}
	if dialer.dialled != 1 {
		t.Errorf("dialled %d times, want once", dialer.dialled)
	}
	fake.FailNext("osd stat", ceph.ErrBusy)
	_ = use()
	_ = use()
	if dialer.dialled != 1 {
		t.Error("a refusal cost the connection")
	}
	for _, broken := range []error{ceph.ErrUnreachable, ceph.ErrDenied} {
		fake.FailNext("osd stat", broken)
		if err := use(); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
		if err := use(); err != nil {
			t.Errorf("after %v: %v", broken, err)
		}
	}
	if dialer.dialled != 3 {
		t.Errorf("dialled %d times, want a new connection after each break", dialer.dialled)
	}
	pool.Forget(client.ObjectKeyFromObject(cluster))
	if err := use(); err != nil || dialer.dialled != 4 {
		t.Errorf("after Forget: %v, dialled %d times", err, dialer.dialled)
	}
}

func TestWhatIsMissingIsSaidAndNotAnError(t *testing.T) {
	_, pool, _, cluster := rig(t)
	_, outcome, err := pool.Client(t.Context(), cluster)
	if err != nil || outcome.Message != "Waiting for mon-manager: Secret rook-ceph-osd-manager-keyring is not there yet" || outcome.After == 0 {
		t.Errorf("without a Secret: %+v, %v", outcome, err)
	}
	cluster.Status.Connection = nil
	_, outcome, err = pool.Client(t.Context(), cluster)
	if err != nil || outcome.IsDone() || outcome.Message == "" {
		t.Errorf("without a connection: %+v, %v", outcome, err)
	}
}

func TestAWrongKeyIsAnError(t *testing.T) {
	wrong := secret()
	wrong.Data["keyring"] = []byte("[client.rook-osd-manager]\n\tkey = AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==\n")
	_, pool, _, cluster := rig(t, wrong)
	if _, _, err := pool.Client(t.Context(), cluster); !errors.Is(err, ceph.ErrDenied) {
		t.Errorf("got %v", err)
	}
}
