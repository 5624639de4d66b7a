package cephtest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

func three(t *testing.T) *cephtest.Cluster {
	return cephtest.New(t, cephtest.Mons("a", "b", "c"), cephtest.Mgrs("x", "y"), cephtest.OSDs(3))
}

func TestAClusterIsBornWithItsFirstMon(t *testing.T) {
	cluster := cephtest.New(t)
	if _, err := cluster.Client().Status(t.Context()); !errors.Is(err, ceph.ErrUnreachable) {
		t.Fatalf("status before the first mon: want ErrUnreachable, got %v", err)
	}
	admin := keyring.Key{Entity: "client.admin", Secret: cephtest.DefaultSecret}
	cluster.SetIdentity("6c2ec0ec-3d0f-4d4b-8f0e-0d6f0f3f7a11", admin)
	cluster.StartMon("a", "10.1.0.1")
	cluster.StartMon("b", "10.1.0.2")
	conn, err := cluster.Dial(t.Context(), cluster.Connection(), admin)
	if err != nil {
		t.Fatal(err)
	}
	quorum, err := ceph.Client{Conn: conn}.QuorumStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, quorum.QuorumNames); diff != "" {
		t.Errorf("quorum (-want +got):\n%s", diff)
	}
	if quorum.MonMap.Epoch != 2 || quorum.MonMap.Mons[1].PublicAddrs.V2() != "10.1.0.2:3300" {
		t.Errorf("unexpected monmap %+v", quorum.MonMap)
	}
}

func TestDialTellsWhyItFails(t *testing.T) {
	cluster := three(t)
	good := cluster.Connection()
	other := good
	other.FSID = "00000000-1111-4222-8333-444444444444"
	elsewhere := good
	elsewhere.MonHost = "v2:192.0.2.1:3300"
	wrong := cluster.Admin()
	wrong.Secret = "AQAAAAAAAAAAABAAEA8ODQwLCgkIBwYFBAMCAQ=="
	for name, test := range map[string]struct {
		err error
		run func() error
	}{
		"another fsid is invalid":      {ceph.ErrInvalid, func() error { _, err := cluster.Dial(t.Context(), other, cluster.Admin()); return err }},
		"another address is no answer": {ceph.ErrUnreachable, func() error { _, err := cluster.Dial(t.Context(), elsewhere, cluster.Admin()); return err }},
		"another key is denied":        {ceph.ErrDenied, func() error { _, err := cluster.Dial(t.Context(), good, wrong); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.run(); !errors.Is(err, test.err) {
				t.Errorf("want %v, got %v", test.err, err)
			}
		})
	}
}

func TestQuorumFollowsTheMajorityOfTheMonmap(t *testing.T) {
	cluster := three(t)
	client := cluster.Client()
	cluster.LoseMon("b")
	if err := client.MonOKToStop(t.Context(), "a"); !errors.Is(err, ceph.ErrBusy) {
		t.Errorf("ok-to-stop of the second of three: want ErrBusy, got %v", err)
	}
	if err := client.MonOKToRemove(t.Context(), "b"); err != nil {
		t.Errorf("ok-to-rm of the lost mon: %v", err)
	}
	cluster.LoseMon("c")
	if err := client.MonRemove(t.Context(), "b"); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("remove without quorum: want ErrUnreachable, got %v", err)
	}
	cluster.ReturnMon("c")
	if err := client.MonRemove(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	cluster.StartMon("b", "10.0.0.2")
	if diff := cmp.Diff([]string{"a", "c"}, cluster.MonNames()); diff != "" {
		t.Errorf("a removed mon came back with its old store (-want +got):\n%s", diff)
	}
	cluster.WipeMon("b")
	cluster.StartMon("b", "10.0.0.2")
	if diff := cmp.Diff([]string{"a", "c", "b"}, cluster.MonNames()); diff != "" {
		t.Errorf("monmap (-want +got):\n%s", diff)
	}
}

func TestFaultsHitOnceAndInOrder(t *testing.T) {
	cluster := three(t)
	client := cluster.Client()
	cluster.FailNext("osd out", ceph.ErrUnreachable)
	cluster.LoseReply("osd out")
	if err := client.OSDOut(t.Context(), 1); !errors.Is(err, ceph.ErrUnreachable) || in(t, client, 1) != true {
		t.Errorf("first call: want ErrUnreachable and no effect, got %v", err)
	}
	if err := client.OSDOut(t.Context(), 1); !errors.Is(err, ceph.ErrUnreachable) || in(t, client, 1) != false {
		t.Errorf("second call: want ErrUnreachable and the effect, got %v", err)
	}
	if err := client.OSDOut(t.Context(), 1); err != nil {
		t.Errorf("third call: %v", err)
	}
	if cluster.Writes() != 3 || cluster.Sent("osd out") != 3 {
		t.Errorf("want 3 writes, got %d (%d osd out)", cluster.Writes(), cluster.Sent("osd out"))
	}
}

func in(t *testing.T, client ceph.Client, id int) bool {
	t.Helper()
	dump, err := client.OSDDump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return bool(dump.OSDs[id].In)
}

func TestBeforeRunsBetweenTwoCommands(t *testing.T) {
	cluster := three(t)
	cluster.Before("mon remove", func() { cluster.LoseMon("a") })
	client := cluster.Client()
	cluster.LoseMon("c")
	if err := client.MonRemove(t.Context(), "c"); !errors.Is(err, ceph.ErrUnreachable) {
		t.Errorf("want ErrUnreachable once the quorum is gone, got %v", err)
	}
}

func TestPlacementGroupsDecideWhatMayStop(t *testing.T) {
	cluster := three(t)
	client := cluster.Client()
	ctx := t.Context()
	if err := client.PoolCreate(ctx, ceph.PoolSpec{Name: "p", Size: 3, PGNum: 32}, ceph.Unconfirmed); err != nil {
		t.Fatal(err)
	}
	if result, err := client.OSDOKToStop(ctx, 0, 0); err != nil || !result.OK {
		t.Errorf("one of three: want ok, got %+v, %v", result, err)
	}
	cluster.LoseOSD(2)
	if result, err := client.OSDOKToStop(ctx, 0, 0); !errors.Is(err, ceph.ErrBusy) || result.NumNotOKPGs != 32 {
		t.Errorf("second of three: want ErrBusy and 32 PGs, got %+v, %v", result, err)
	}
	if _, err := client.OSDSafeToDestroy(ctx, 2); !errors.Is(err, ceph.ErrBusy) {
		t.Errorf("safe-to-destroy while in: want ErrBusy, got %v", err)
	}
	if err := client.OSDOut(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := client.OSDSafeToDestroy(ctx, 2); err != nil {
		t.Errorf("safe-to-destroy once out: %v", err)
	}
	if err := client.OSDPurge(ctx, 2); err != nil {
		t.Errorf("purge: %v", err)
	}
	if diff := cmp.Diff([]int{0, 1}, cluster.OSDIDs()); diff != "" {
		t.Errorf("OSDs (-want +got):\n%s", diff)
	}
}

// recorder is a testing.TB that notes failures of the test it stands for.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestWhatTheFakeDoesNotKnowFailsTheTest(t *testing.T) {
	for name, cmd := range map[string]ceph.Command{
		"unknown command":     {Prefix: "osd frobnicate"},
		"unknown argument":    {Prefix: "mon dump", Args: map[string]any{"who": "me"}},
		"missing argument":    {Prefix: "mon remove"},
		"integer as a string": {Prefix: "osd purge", Args: map[string]any{"id": "3"}},
		"float without point": {Prefix: "osd set-full-ratio", Args: map[string]any{"ratio": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &recorder{TB: t}
			cluster := cephtest.New(seen, cephtest.Mons("a"), cephtest.Mgrs("x"))
			if _, err := cluster.Client().Mon(context.Background(), cmd); !errors.Is(err, ceph.ErrInvalid) {
				t.Errorf("want ErrInvalid, got %v", err)
			}
			if !seen.failed {
				t.Error("the fake let it pass")
			}
		})
	}
}
