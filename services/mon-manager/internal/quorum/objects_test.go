package quorum

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

const fsid = "b9d3a0f4-7c55-4be1-9e0a-3f1f8c6d2a01"

func TestObjects(t *testing.T) {
	member := Member{Name: "a", Node: "n1", Hostname: "n1.example", Address: "10.0.0.1", Zone: "east"}
	plain := cluster(3, true)
	t.Run("on_the_host", func(t *testing.T) {
		golden.Objects(t, "host", monService(plain, member), deployment(plain, fsid, member, "mon-manager:v1"))
	})
	t.Run("on_a_volume_in_the_host_network_with_msgr2_only", func(t *testing.T) {
		c := cluster(3, false)
		c.Spec.Network = api.NetworkSpec{Provider: api.NetworkProviderHost, Connections: &api.ConnectionsSpec{RequireMsgr2: true}}
		c.Spec.Mon.VolumeClaimTemplate = &api.VolumeClaimTemplate{Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{"ReadWriteOnce"}}}
		c.Spec.Placement = api.PlacementSpec{api.KeyMon: {Tolerations: []corev1.Toleration{{Key: "storage", Operator: corev1.TolerationOpExists}}}}
		c.Spec.PriorityClassNames = api.PriorityClassNamesSpec{api.KeyMon: "system-node-critical"}
		c.Spec.Labels = api.LabelsSpec{api.KeyMon: {"team": "storage"}}
		c.Spec.Annotations = api.AnnotationsSpec{api.KeyAll: {"example.org/note": "1"}}
		unpinned := Member{Name: "b", Address: "192.168.1.2"}
		volume, err := claim(c, unpinned)
		if err != nil {
			t.Fatal(err)
		}
		golden.Objects(t, "volume", volume, deployment(c, fsid, unpinned, "mon-manager:v1"))
	})
	t.Run("where_the_monitors_are", func(t *testing.T) {
		members := on("a", "b", "c")
		golden.Objects(t, "endpoints", configSecret(plain, members, true), endpointsMap(plain, members, 2, "c"), budget(plain, 3, 0), budget(plain, 5, 1))
	})
}

func TestBudgetAllowsNoEvictionWhileAMonitorIsAway(t *testing.T) {
	for _, test := range []struct{ members, away, want int }{{3, 0, 1}, {5, 0, 2}, {3, 1, 0}, {5, 1, 0}, {5, 2, 0}} {
		got := budget(cluster(int32(test.members), false), test.members, test.away).Spec.MaxUnavailable.IntValue()
		if got != test.want {
			t.Errorf("budget of %d monitors with %d away allows %d, want %d", test.members, test.away, got, test.want)
		}
	}
}
