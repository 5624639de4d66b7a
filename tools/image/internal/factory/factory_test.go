package factory

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/catalog"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/compile"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/oci"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/store"
)

var (
	amd64 = debian.Platform{Arch: "amd64"}
	arm64 = debian.Platform{Arch: "arm64"}
)

// workshop is a factory for a repository with one small service.
func workshop(t *testing.T) (Factory, catalog.Service) {
	t.Helper()
	repository := t.TempDir()
	write(t, filepath.Join(repository, "services/sample/go.mod"), "module example.com/sample\n\ngo 1.26.0\n")
	write(t, filepath.Join(repository, "services/sample/main.go"), "package main\n\nfunc main() { println(\"one\") }\n")
	f := Factory{
		Repository: repository, Store: store.Store{Dir: t.TempDir()}, Progress: &bytes.Buffer{},
		Out: filepath.Join(repository, "out"), Tag: "dev", Created: time.Unix(0, 0).UTC(), Now: time.Now,
	}
	return f, catalog.Service{
		Name: "sample", Base: catalog.Empty, Description: "Is an example.",
		Programs: []compile.Program{{Name: "sample", Module: "services/sample", Package: "."}},
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, f Factory, service catalog.Service) Result {
	t.Helper()
	result, err := f.Service(t.Context(), service, []debian.Platform{amd64, arm64})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestService(t *testing.T) {
	t.Parallel()
	f, service := workshop(t)
	first := build(t, f, service)
	if !first.Changed || first.Size == 0 {
		t.Errorf("the first build gave %+v", first)
	}
	stored, err := oci.Inspect(first.File)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"localhost/rook-ceph/sample:dev"}, stored.Names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, stored.Platforms); diff != "" {
		t.Error(diff)
	}
	if stored.Digest.String() != first.Digest || stored.Labels["org.opencontainers.image.title"] != "sample" {
		t.Errorf("got %s with labels %v, want %s", stored.Digest, stored.Labels, first.Digest)
	}

	before, err := os.Stat(first.File)
	if err != nil {
		t.Fatal(err)
	}
	again := build(t, f, service)
	after, err := os.Stat(first.File)
	if err != nil {
		t.Fatal(err)
	}
	if again.Changed || again.Digest != first.Digest || !os.SameFile(before, after) {
		t.Errorf("a build without a change gave %+v, want the file left alone", again)
	}

	elsewhere := f
	elsewhere.Out, elsewhere.Store = t.TempDir(), store.Store{Dir: t.TempDir()}
	if other := build(t, elsewhere, service); other.Digest != first.Digest {
		t.Errorf("another directory gave digest %s, want %s", other.Digest, first.Digest)
	}

	write(t, filepath.Join(f.Repository, "services/sample/main.go"), "package main\n\nfunc main() { println(\"two\") }\n")
	if changed := build(t, f, service); !changed.Changed || changed.Digest == first.Digest {
		t.Errorf("a build after a change gave %+v, want another image", changed)
	}
}

func TestServiceHoldsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("unpacking needs root")
	}
	f, service := workshop(t)
	result := build(t, f, service)
	dir := t.TempDir()
	if err := oci.Unpack(t.Context(), result.File, "amd64", dir); err != nil {
		t.Fatal(err)
	}
	program, err := os.Stat(filepath.Join(dir, "usr/local/bin/sample"))
	if err != nil || program.Mode().Perm() != 0o755 {
		t.Errorf("got program %v (%v)", program, err)
	}
	passwd, err := os.ReadFile(filepath.Join(dir, "etc/passwd"))
	if err != nil || !strings.Contains(string(passwd), "nonroot:x:65532:65532:") {
		t.Errorf("got user table %q (%v)", passwd, err)
	}
	temporary, err := os.Stat(filepath.Join(dir, "tmp"))
	if err != nil || temporary.Mode()&os.ModeSticky == 0 || temporary.Mode().Perm() != 0o777 {
		t.Errorf("got temporary directory %v (%v)", temporary, err)
	}
}

func TestSmoke(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a chroot needs root")
	}
	f, service := workshop(t)
	result := build(t, f, service)
	check := func(says string, command ...string) error {
		return f.Smoke(t.Context(), result.File, debian.Platform{Arch: runtime.GOARCH}, []catalog.Check{{Command: command, Says: says}})
	}
	if err := check("one", "/usr/local/bin/sample"); err != nil {
		t.Error(err)
	}
	if err := check("two", "sample"); err == nil || !strings.Contains(err.Error(), `want "two"`) {
		t.Errorf("got error %v for another output", err)
	}
	if err := check("", "absent"); err == nil {
		t.Error("a program that is not there passed")
	}
}

func TestServiceRefusals(t *testing.T) {
	t.Parallel()
	f, service := workshop(t)
	service.Programs = append(service.Programs, compile.Program{Name: "extra", Module: "services/sample", Package: "cmd/extra"})
	_, err := f.Service(t.Context(), service, []debian.Platform{amd64})
	if err == nil || !strings.Contains(err.Error(), "build extra: no Go files in services/sample/cmd/extra") {
		t.Errorf("got error %v for a program without source", err)
	}
	if left, err := filepath.Glob(filepath.Join(f.Out, "*.tar")); err != nil || len(left) > 0 {
		t.Errorf("a failed build left %v (%v)", left, err)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	f, service := workshop(t)
	f.Sources = debian.Sources{Mirror: "http://mirror/debian"}
	release, err := catalog.FindRelease("reef")
	if err != nil {
		t.Fatal(err)
	}
	node, err := catalog.FindService("node-agent")
	if err != nil {
		t.Fatal(err)
	}
	plan := func() (states []string) {
		steps, err := f.Plan([]catalog.Service{service, node}, []catalog.Release{release}, []debian.Platform{amd64})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			verb, _, _ := strings.Cut(step.Work, " ")
			states = append(states, step.Image+" "+step.State+" "+verb)
		}
		return states
	}
	want := []string{
		"ceph-reef make mmdebstrap", "sample build cd",
		"node-agent make mmdebstrap", "node-agent make mmdebstrap", "node-agent absent cd",
	}
	if diff := cmp.Diff(want, plan()); diff != "" {
		t.Error(diff)
	}
	entry, err := debian.Entry(release.Recipe(amd64), amd64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Store.Get(t.Context(), entry, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	want[0] = "ceph-reef cached mmdebstrap"
	if diff := cmp.Diff(want, plan()); diff != "" {
		t.Error(diff)
	}
}
