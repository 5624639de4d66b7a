package quorum

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const fsid = "b9d3a0f4-7c55-4be1-9e0a-3f1f8c6d2a01"

func update() bool {
	return flag.Lookup("update") != nil && flag.Lookup("update").Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

func golden(t *testing.T, name string, objs ...any) {
	t.Helper()
	var parts []string
	for _, obj := range objs {
		body, err := yaml.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(body))
	}
	got := strings.Join(parts, "---\n")
	path := filepath.Join("testdata", name+".golden.yaml")
	if update() {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); `go test -update` writes it anew:\n%s", path, diff)
	}
}

func TestObjects(t *testing.T) {
	member := Member{Name: "a", Node: "n1", Hostname: "n1.example", Address: "10.0.0.1", Zone: "east"}
	plain := cluster(3, true)
	t.Run("on_the_host", func(t *testing.T) {
		golden(t, "host", monService(plain, member), deployment(plain, fsid, member, "mon-manager:v1"))
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
		golden(t, "volume", volume, deployment(c, fsid, unpinned, "mon-manager:v1"))
	})
	t.Run("where_the_monitors_are", func(t *testing.T) {
		members := on("a", "b", "c")
		golden(t, "endpoints", configSecret(plain, members, true), endpointsMap(plain, members, 2, "c"), budget(plain, 3, 0), budget(plain, 5, 1))
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
