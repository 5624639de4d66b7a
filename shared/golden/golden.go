// Package golden compares the objects that a test makes with YAML files below its
// testdata directory. It is for tests only and knows no kinds.
package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// Update is the environment variable that makes Objects write the files anew, to
// be read in the diff before they are committed.
const Update = "UPDATE_GOLDEN"

// Objects fails the test when the objects as YAML documents differ from
// testdata/NAME.golden.yaml.
func Objects(t testing.TB, name string, objs ...any) {
	t.Helper()
	parts := make([]string, 0, len(objs))
	for _, obj := range objs {
		body, err := yaml.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(body))
	}
	got := strings.Join(parts, "---\n")
	path := filepath.Join("testdata", name+".golden.yaml")
	if os.Getenv(Update) != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with %s=1 to write it", err, Update)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); %s=1 writes it anew:\n%s", path, Update, diff)
	}
}
