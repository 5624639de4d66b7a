package cephtest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
)

// filesystem makes one of two pools.
func filesystem(t *testing.T, cluster *cephtest.Cluster, name string) {
	t.Helper()
	client := cluster.Client()
	for _, pool := range []string{name + "-m", name + "-d"} {
		if err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: pool}, ceph.Unconfirmed); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.FSNew(t.Context(), name, name+"-m", name+"-d"); err != nil {
		t.Fatal(err)
	}
}

func ranks(t *testing.T, cluster *cephtest.Cluster, name string) []string {
	t.Helper()
	dump, err := cluster.Client().FSDump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, daemon := range dump.Find(name).Map.Daemons() {
		list = append(list, daemon.Name+" "+daemon.State)
	}
	return list
}

func TestAStandbyJoinsItsFileSystemAndTakesOver(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3))
	if err := cluster.Client().ConfigSet(t.Context(), "mds.g-a", "mds_join_fs", "g"); err != nil {
		t.Fatal(err)
	}
	cluster.StartMDS("g-a")
	cluster.StartMDS("h-a")
	filesystem(t, cluster, "g")
	filesystem(t, cluster, "h")
	if diff := cmp.Diff([]string{"g-a up:active"}, ranks(t, cluster, "g")); diff != "" {
		t.Errorf("g (-want +got):\n%s", diff)
	}
	cluster.StartMDS("h-b")
	cluster.LoseMDS("h-a")
	if diff := cmp.Diff([]string{"h-b up:active"}, ranks(t, cluster, "h")); diff != "" {
		t.Errorf("h (-want +got):\n%s", diff)
	}
}

func TestAFileSystemThatWasTakenDownComesBack(t *testing.T) {
	cluster := cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3), cephtest.MDSs("f-a"))
	filesystem(t, cluster, "f")
	client := cluster.Client()
	look := func(down string) ceph.MDSMap {
		t.Helper()
		if err := client.FSSet(t.Context(), "f", "down", down, ceph.Unconfirmed); err != nil {
			t.Fatal(err)
		}
		dump, err := client.FSDump(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return dump.Find("f").Map
	}
	if m := look("true"); len(m.In) != 0 || !m.TakenDown() || m.NeverServed() || m.Active() != 0 {
		t.Errorf("taken down: %+v", m)
	}
	if m := look("false"); m.TakenDown() || m.Active() != 1 || len(m.Stopped) != 0 {
		t.Errorf("served again: %+v", m)
	}
}
