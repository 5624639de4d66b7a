package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissingPackagesAreThoseWhoseFilesAreNotThere(t *testing.T) {
	cases := map[string]struct {
		exists func(string) bool
		want   []string
	}{
		"a complete host needs none": {func(string) bool { return true }, []string{}},
		"a package with two missing files is named once": {
			func(path string) bool { return filepath.Dir(path) != "/usr/lib/cni" }, []string{"containernetworking-plugins"},
		},
		"runc alone": {func(path string) bool { return path != "/usr/sbin/runc" }, []string{"runc"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, MissingPackages(test.exists)); diff != "" {
				t.Errorf("packages differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLegacyHierarchiesAreThoseBelowSysFsCgroup(t *testing.T) {
	mountinfo := "30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" +
		"31 30 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n" +
		"32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n" +
		"34 20 0:28 / /elsewhere/memory rw - cgroup cgroup rw,memory\n" +
		"35 20 8:1 / / rw - ext4 /dev/sda1 rw\n"
	want := []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"}
	if diff := cmp.Diff(want, legacyHierarchies(mountinfo)); diff != "" {
		t.Errorf("hierarchies differ (-want +got):\n%s", diff)
	}
}

func TestLegacyCgroupsInheritTheirProcessors(t *testing.T) {
	hierarchy := t.TempDir()
	for name, value := range map[string]string{"cpuset.cpus": "0-3\n", "cpuset.mems": "0\n"} {
		if err := os.WriteFile(filepath.Join(hierarchy, name), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cgroups := Cgroups{hierarchies: []string{hierarchy}}
	for range 2 {
		if err := cgroups.Create("/cluster/node1"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(hierarchy, "cluster/node1/system/cpuset.cpus"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "0-3" {
		t.Errorf("processors of the innermost cgroup = %q, want 0-3", got)
	}
}

func TestCgroupProcessesAreListedOnceAcrossHierarchies(t *testing.T) {
	one, other := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(one, "c/node1/cgroup.procs"):        "12\n13\n",
		filepath.Join(other, "c/node1/deep/cgroup.procs"): "13\n0\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cgroups := Cgroups{hierarchies: []string{one, other}}
	if got := cgroups.Processes("c"); len(got) != 2 {
		t.Errorf("processes = %v, want 12 and 13", got)
	}
}

func TestACgroupIsRemovedWhereNothingIsInIt(t *testing.T) {
	empty, used := t.TempDir(), t.TempDir()
	for _, hierarchy := range []string{empty, used} {
		if err := os.Mkdir(filepath.Join(hierarchy, "volumes"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(used, "volumes", "cgroup.procs"), "1\n") // keeps a plain directory as a process keeps a cgroup
	if err := (Cgroups{hierarchies: []string{used, empty}}).Remove("/volumes"); err == nil {
		t.Error("the one in use is gone")
	}
	for hierarchy, want := range map[string]bool{empty: false, used: true} {
		if got := (Cgroups{hierarchies: []string{hierarchy}}).Present("/volumes"); got != want {
			t.Errorf("%s: present is %v, want %v", hierarchy, got, want)
		}
	}
}

func TestLimitsAreRaisedAndPutBack(t *testing.T) {
	settings := t.TempDir()
	limits := Limits{Settings: settings, Record: filepath.Join(t.TempDir(), "limits.json")}
	low, high := filepath.Join(settings, "fs/inotify/max_user_instances"), filepath.Join(settings, "fs/aio-max-nr")
	if err := os.MkdirAll(filepath.Dir(low), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, low, "128\n")
	write(t, high, "99999999\n")
	if err := limits.Raise(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, low); got != "8192" {
		t.Errorf("low limit = %q after raising, want 8192", got)
	}
	if got := content(t, high); got != "99999999\n" {
		t.Errorf("high limit = %q after raising, want it left alone", got)
	}
	if err := limits.Raise(); err != nil {
		t.Fatalf("raise again: %v", err)
	}
	if err := limits.Restore(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, low); got != "128" {
		t.Errorf("low limit = %q after restoring, want 128", got)
	}
	if _, err := os.Stat(limits.Record); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record is still there: %v", err)
	}
}

func TestProportionalReadsOnlyTheTotal(t *testing.T) {
	rollup := "55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:    2048 kB\nPss:    1024 kB\nPss_Anon:    512 kB\n"
	if got := proportional(rollup); got != 1<<20 {
		t.Errorf("proportional = %d, want %d", got, 1<<20)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
