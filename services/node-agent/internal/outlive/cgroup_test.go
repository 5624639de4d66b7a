package outlive

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func group(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestHierarchies(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	want := []string{
		group(t, root, "cpu,cpuacct"), group(t, root, "memory"), group(t, root, "systemd"), group(t, root, "unified"),
	}
	membership := "11:cpu,cpuacct:/kubepods/a\n4:memory:/kubepods/a\n2:rdma:/\n1:name=systemd:/kubepods/a\n0::/kubepods/a\n"
	got, err := hierarchies(root, membership)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("version 1: want -, got +:\n%s", diff)
	}
	pure := group(t, t.TempDir())
	if got, err := hierarchies(pure, "0::/kubepods/a\n"); err != nil || len(got) != 1 || got[0] != pure {
		t.Errorf("version 2: %v, %v", got, err)
	}
	if _, err := hierarchies(root, "nonsense"); err == nil {
		t.Error("nonsense was read")
	}
}

func TestInheritCpuset_fills_in_what_is_empty(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	child := filepath.Join(parent, "volumes")
	if err := os.Mkdir(child, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(parent, "cpuset.cpus"): "0-1\n", filepath.Join(parent, "cpuset.mems"): "0\n",
		filepath.Join(child, "cpuset.cpus"): "\n", filepath.Join(child, "cpuset.mems"): "1\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := inheritCpuset(child); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"cpuset.cpus": "0-1\n", "cpuset.mems": "1\n"} {
		if got, _ := os.ReadFile(filepath.Join(child, file)); string(got) != want {
			t.Errorf("%s: want %q, got %q", file, want, got)
		}
	}
}
