package mgr

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	c := cluster()
	c.Spec.Mgr.Count = 2
	c.Spec.Dashboard = api.DashboardSpec{Enabled: true, SSL: true}
	golden(t, "mgr", deployment(c, fsid, "a", "mon-manager:v1"), metricsService(c), dashboardService(c), budget(c))
}
