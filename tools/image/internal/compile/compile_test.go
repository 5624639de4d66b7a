package compile

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings Settings
		program  Program
		want     []string
	}{
		"a static program knows nothing of librados": {
			program: Program{Name: "a", Package: "cmd/a"},
			want:    []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "out", "-tags=netgo,osusergo", "./cmd/a"},
		},
		"a version is linked in": {
			settings: Settings{Version: "v1.2.3"}, program: Program{Name: "a", Package: "."},
			want: []string{
				"build", "-trimpath", "-buildvcs=false",
				"-ldflags=-s -w -X github.com/rook-ceph/rook-ceph/shared/version.version=v1.2.3", "-o", "out", "-tags=netgo,osusergo", "./.",
			},
		},
		"old libraries are named to go-ceph": {
			settings: Settings{CephVersion: "16.2.15"}, program: Program{Name: "a", Package: ".", Librados: true},
			want: []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "out", "-tags=netgo,osusergo,librados,pacific", "./."},
		},
		"newer ones are not": {
			settings: Settings{CephVersion: "18.2.7"}, program: Program{Name: "a", Package: ".", Librados: true},
			want: []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "out", "-tags=netgo,osusergo,librados", "./."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.settings.Arguments(test.program, "out")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	foreign := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	settings := Settings{Platform: debian.Platform{Arch: foreign}, Sysroot: "/sysroot"}
	static := settings.Environment(Program{})
	if !slices.Contains(static, "CGO_ENABLED=0") || !slices.Contains(static, "GOWORK=off") || !slices.Contains(static, "GOARCH="+foreign) {
		t.Errorf("got %q for a static program", static)
	}
	linked := settings.Environment(Program{Librados: true})
	compiler, pkg := Compiler(foreign)
	triplet := settings.Platform.Triplet()
	want := "CC=" + compiler + " --sysroot=/sysroot -B/sysroot/usr/lib/" + triplet
	if !slices.Contains(linked, want) || !slices.Contains(linked, "CGO_ENABLED=1") {
		t.Errorf("got %q, want %q in it", linked, want)
	}
	if compiler == "gcc" || strings.Contains(pkg, "_") {
		t.Errorf("got compiler %s of package %s for %s", compiler, pkg, foreign)
	}
	if native, _ := Compiler(runtime.GOARCH); native != "gcc" {
		t.Errorf("got compiler %s for this machine, want gcc", native)
	}
}

// sample writes a module with one program that prints its version.
func sample(t *testing.T) string {
	t.Helper()
	repository := t.TempDir()
	for name, text := range map[string]string{
		"services/sample/go.mod":  "module example.com/sample\n\ngo 1.26.0\n",
		"services/sample/main.go": "package main\n\nfunc main() { println(\"sample\") }\n",
		"services/broken/go.mod":  "module example.com/broken\n\ngo 1.26.0\n",
		"services/broken/main.go": "package main\n\nfunc main() { undefined() }\n",
	} {
		path := filepath.Join(repository, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return repository
}

func TestBuild(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("this machine has no go command")
	}
	repository := sample(t)
	program := Program{Name: "sample", Module: "services/sample", Package: "."}
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run("a program is built for "+arch, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "deep", "sample")
			settings := Settings{Repository: repository, Platform: debian.Platform{Arch: arch}}
			if err := settings.Build(t.Context(), program, out); err != nil {
				t.Fatal(err)
			}
			info, err := buildinfo.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, setting := range info.Settings {
				got[setting.Key] = setting.Value
			}
			if got["GOARCH"] != arch || got["CGO_ENABLED"] != "0" || got["-trimpath"] != "true" {
				t.Errorf("got %v", got)
			}
		})
	}
	settings := Settings{Repository: repository, Platform: debian.Platform{Arch: runtime.GOARCH}}
	for name, test := range map[string]struct {
		program Program
		says    string
	}{
		"a program without source": {Program{Name: "absent", Module: "services/absent", Package: "."}, "no Go files in services/absent"},
		"a program with errors":    {Program{Name: "broken", Module: "services/broken", Package: "."}, "undefined: undefined"},
	} {
		t.Run(name+" is refused with the cause", func(t *testing.T) {
			t.Parallel()
			err := settings.Build(t.Context(), test.program, filepath.Join(t.TempDir(), "out"))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want one that says %q", err, test.says)
			}
		})
	}
}
