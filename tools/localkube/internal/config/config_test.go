package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

func cluster() layout.Cluster {
	return layout.Cluster{
		Name: "default", State: "/state/default", Network: layout.DefaultNetwork(0),
		Nodes: 2, Disks: 3, DiskBytes: 10 << 30, Zones: true, Audit: true,
	}
}

func TestNodeFilesMatchGolden(t *testing.T) {
	files, err := config.NodeFiles(cluster(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		golden(t, "node2-"+filepath.Base(file.Path), file.Content)
	}
}

func TestServicesMatchGolden(t *testing.T) {
	var text strings.Builder
	for _, service := range append(config.ControlServices(cluster()), config.NodeServices(cluster(), 2)...) {
		text.WriteString(service.Name + "\n  " + strings.Join(service.Args, "\n  ") + "\n")
	}
	golden(t, "services.txt", text.String())
}

func TestAddonsNameNothingUnresolved(t *testing.T) {
	text := config.Addons(cluster(), "kind: CustomResourceDefinition")
	if strings.Contains(text, "$") {
		t.Errorf("addons hold an unresolved name:\n%s", text)
	}
	for _, document := range strings.Split(text, "\n---\n") {
		var object map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
			t.Errorf("addon is no YAML: %v\n%s", err, document)
		}
		if object["kind"] == "Service" {
			spec, _ := object["spec"].(map[string]any)
			if spec["clusterIP"] != "10.180.128.10" {
				t.Errorf("DNS Service address = %v, want 10.180.128.10", spec["clusterIP"])
			}
		}
	}
}

func TestAuditIsOffUnlessAskedFor(t *testing.T) {
	quiet := cluster()
	quiet.Audit = false
	for _, service := range config.ControlServices(quiet) {
		if strings.Contains(strings.Join(service.Args, " "), "audit") {
			t.Errorf("%s audits: %v", service.Name, service.Args)
		}
	}
}

func TestKubeconfigCarriesItsIdentity(t *testing.T) {
	text, err := config.Kubeconfig("local", "https://10.0.0.2:6443", config.Identity{
		Authority: []byte("authority"), Certificate: []byte("certificate"), Key: []byte("key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Context string `json:"current-context"`
		Users   []struct {
			User struct {
				Key []byte `json:"client-key-data"`
			} `json:"user"`
		} `json:"users"`
	}
	converted, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(converted, &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Context != "local" || len(parsed.Users) != 1 || string(parsed.Users[0].User.Key) != "key" {
		t.Errorf("kubeconfig = %+v", parsed)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run the test with UPDATE_GOLDEN=1 to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}
