package link_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const patience = 20 * time.Second

func name() types.NamespacedName { return types.NamespacedName{Namespace: "ns", Name: "c"} }

func start(t *testing.T, cluster *cephtest.Cluster) (*link.Links, <-chan event.GenericEvent) {
	t.Helper()
	links := &link.Links{Dialer: cluster, Clock: clock.RealClock{}, Interval: 5 * time.Millisecond}
	events := links.Subscribe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- links.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Start = %v", err)
		}
	})
	return links, events
}

// await reads events until the condition holds.
func await(t *testing.T, events <-chan event.GenericEvent, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case got := <-events:
			if got.Object.GetName() != "c" || got.Object.GetNamespace() != "ns" {
				t.Fatalf("event about %s/%s", got.Object.GetNamespace(), got.Object.GetName())
			}
		case <-deadline:
			t.Fatalf("%s did not happen", what)
		}
	}
}

func target(cluster *cephtest.Cluster) link.Target {
	return link.Target{At: cluster.Connection(), Key: cluster.Admin()}
}

func connected(links *link.Links) func() bool {
	return func() bool { _, err := links.Session(name()); return err == nil }
}

func TestChangesOfTheClusterAreTold(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a", "b", "c"), cephtest.Mgrs("x"))
	links, events := start(t, cluster)
	if _, err := links.Session(name()); !link.Starting(links.Session(name())) {
		t.Errorf("before anything is asked for: %v", err)
	}
	links.Ensure(name(), target(cluster))
	await(t, events, "connecting", connected(links))
	cluster.LoseMon("c")
	await(t, events, "the loss of a monitor", func() bool {
		session, err := links.Session(name())
		if err != nil {
			return false
		}
		status, err := session.Status(t.Context())
		return err == nil && len(status.QuorumNames) == 2
	})
}

func TestALostQuorumIsToldAndFound(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a", "b", "c"))
	links, events := start(t, cluster)
	links.Ensure(name(), target(cluster))
	await(t, events, "connecting", connected(links))
	cluster.LoseQuorum()
	await(t, events, "the loss of the quorum", func() bool { _, err := links.Session(name()); return err != nil })
	cluster.RestoreQuorum()
	await(t, events, "its return", connected(links))
}

func TestAWrongKeyIsSaidAndARightOneMendsIt(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a"))
	links, events := start(t, cluster)
	wrong := target(cluster)
	wrong.Key = keyring.Key{Entity: "client.admin", Secret: "wrong"}
	links.Ensure(name(), wrong)
	await(t, events, "the refusal", func() bool { _, err := links.Session(name()); return errors.Is(err, ceph.ErrDenied) })
	links.Ensure(name(), target(cluster))
	await(t, events, "connecting", connected(links))
}

func TestTheBootstrapConnectionIsForBootstrapOnly(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a"))
	links, events := start(t, cluster)
	admin := target(cluster)
	admin.Bootstrap = true
	links.Ensure(name(), admin)
	await(t, events, "connecting", func() bool { _, err := links.Bootstrap(name()); return err == nil })
	if !link.Starting(links.Session(name())) {
		t.Error("others are given the connection of client.admin")
	}
	links.Forget(name())
	if _, err := links.Bootstrap(name()); !errors.Is(err, link.ErrNotConnected) {
		t.Errorf("a forgotten cluster: %v", err)
	}
}

func TestTheDigestIgnoresWhatMovesAllTheTime(t *testing.T) {
	status := ceph.Status{FSID: "f"}
	status.PGMap = ceph.PGMap{BytesTotal: 1000, BytesUsed: 500}
	before := link.Digest(status)
	status.PGMap.ReadBytesSec, status.PGMap.NumObjects, status.PGMap.BytesUsed = 7, 9, 502
	if link.Digest(status) != before {
		t.Error("traffic changes the digest")
	}
	status.PGMap.BytesUsed = 700
	if link.Digest(status) == before {
		t.Error("a fifth of the capacity does not change the digest")
	}
}
