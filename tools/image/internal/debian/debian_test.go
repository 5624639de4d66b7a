package debian

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindSources(t *testing.T) {
	t.Parallel()
	const stanza = "Types: deb\n# a comment: with a colon\nURIs: http://%s\nSuites: bookworm bookworm-updates\nComponents: main\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"reads the one-line format": {
			files: map[string]string{"sources.list": "# deb http://old/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://one/debian bookworm main\n"},
			want:  "http://one/debian",
		},
		"reads stanzas": {
			files: map[string]string{"sources.list.d/debian.sources": strings.Replace(stanza, "%s", "two/debian/", 1)},
			want:  "http://two/debian/",
		},
		"passes over updates and other vendors": {
			files: map[string]string{
				"sources.list": "deb http://sec/debian-security bookworm-security main\ndeb http://vendor/debian vendor-suite main\n" +
					"deb http://archive/ubuntu noble main\ndeb http://three/debian trixie main\n",
			},
			want: "http://three/debian",
		},
		"passes over what is switched off": {
			files: map[string]string{"sources.list.d/debian.sources": "Enabled: no\n" + strings.Replace(stanza, "%s", "four/debian", 1)},
		},
		"finds nothing on other systems": {
			files: map[string]string{"sources.list": "deb http://archive/ubuntu noble main\n"},
		},
		"finds nothing without apt": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for file, text := range test.files {
				path := filepath.Join(root, "etc/apt", file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := FindSources(root)
			if err != nil {
				t.Fatal(err)
			}
			if got.Mirror != test.want {
				t.Errorf("got mirror %q, want %q", got.Mirror, test.want)
			}
			if test.want == "" && got.Stanza("trixie") != "" {
				t.Errorf("got stanza %q for the default mirror", got.Stanza("trixie"))
			}
		})
	}
}

func TestUpstreamVersion(t *testing.T) {
	t.Parallel()
	for debian, want := range map[string]string{
		"18.2.7+ds-1+deb13u1": "18.2.7", "20.2.4+ds-2": "20.2.4", "1:10.0.13+ds-0": "10.0.13", "2.41-12": "2.41", "5.0~rc1": "5.0",
	} {
		if got := UpstreamVersion(debian); got != want {
			t.Errorf("%s: got %s, want %s", debian, got, want)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"linux/amd64": "amd64", " linux/arm64": "arm64", "linux/s390x": "", "arm64": ""} {
		got, err := ParsePlatform(text)
		if got.Arch != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q and error %v, want %q", text, got.Arch, err, want)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	recipe := Recipe{Name: "x", Suite: "trixie", Variant: Extracted, Packages: []string{"a", "b"}}
	arm := Platform{Arch: "arm64"}
	t.Run("name the suite and the output before the mirror", func(t *testing.T) {
		t.Parallel()
		got := Arguments(recipe, arm, "out.tar", Sources{Mirror: "http://m/debian"})
		if diff := cmp.Diff([]string{"trixie", "out.tar", "-"}, got[len(got)-3:]); diff != "" {
			t.Error(diff)
		}
		if !slices.Contains(got, "--architectures=arm64") || !slices.Contains(got, "--include=a,b") {
			t.Errorf("architecture or packages are missing in %q", got)
		}
	})
	t.Run("leave the mirror to mmdebstrap when none is known", func(t *testing.T) {
		t.Parallel()
		got := Arguments(recipe, arm, "out.tar", Sources{})
		if got[len(got)-1] != "out.tar" {
			t.Errorf("got %q last, want the output", got[len(got)-1])
		}
	})
}

func TestEntry(t *testing.T) {
	t.Parallel()
	recipe := Recipe{Name: "x", Suite: "trixie", Packages: []string{"a"}}
	first, err := Entry(recipe, Platform{Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	changed := recipe
	changed.Shape.Drop = []string{"usr/share/doc/"}
	for name, other := range map[string]func() (string, error){
		"another platform": func() (string, error) { return Entry(recipe, Platform{Arch: "arm64"}) },
		"another shape":    func() (string, error) { return Entry(changed, Platform{Arch: "amd64"}) },
	} {
		if got, err := other(); err != nil || got == first {
			t.Errorf("%s: got %s (%v), want another entry than %s", name, got, err, first)
		}
	}
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	absent := Tool{Provides: "no-such-program-here", Package: "no-such-package"}
	err := Ensure(t.Context(), []Tool{{Provides: "sh", Package: "dash"}, absent, absent}, false, &bytes.Buffer{})
	if !errors.Is(err, ErrMissing) {
		t.Fatalf("got error %v, want %v", err, ErrMissing)
	}
	if !strings.Contains(err.Error(), "apt-get install --no-install-recommends no-such-package,") {
		t.Errorf("the error does not say how to install just the missing package: %v", err)
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	got, err := parseStatus(strings.NewReader("Package: a\nStatus: install ok installed\nVersion: 1.0-1\nDescription: x\n Version: 9\n\nPackage: b\nVersion: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Package{{"a", "1.0-1"}, {"b", "2"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBootstrapTools(t *testing.T) {
	t.Parallel()
	packages := func(variant Variant, arch string) []string {
		var names []string
		for _, tool := range BootstrapTools(Recipe{Variant: variant}, Platform{Arch: arch}, "amd64") {
			names = append(names, tool.Package)
		}
		return names
	}
	if slices.Contains(packages(Extracted, "arm64"), "qemu-user-static") {
		t.Error("unpacking a foreign architecture asks for an emulator")
	}
	if !slices.Contains(packages(Installed, "arm64"), "qemu-user-static") {
		t.Error("installing a foreign architecture asks for no emulator")
	}
	if slices.Contains(packages(Installed, "amd64"), "qemu-user-static") {
		t.Error("installing the own architecture asks for an emulator")
	}
}
