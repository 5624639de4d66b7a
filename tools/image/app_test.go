package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

// invoke runs the command line as main does.
func invoke(t *testing.T, arguments ...string) (out string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	app := newApp(&stdout, &stderr)
	err = app.RunContext(t.Context(), flagsFirst(app, append([]string{"image"}, arguments...)))
	return stdout.String(), err
}

func TestFlagsFirst(t *testing.T) {
	app := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	for given, want := range map[string]string{
		"image service node-agent --platform linux/arm64 -n": "image service --platform linux/arm64 -n node-agent",
		"image service a --platform=linux/arm64 b -o dir c":  "image service --platform=linux/arm64 -o dir a b c",
		"image service --dry-run a":                          "image service --dry-run a",
		"image service a -- --b":                             "image service a --b",
		"image push f.tar --registry r --insecure":           "image push --registry r --insecure f.tar",
		"image --help":        "image --help",
		"image unknown a --b": "image unknown a --b",
		"image":               "image",
		"image service a --install=false --mirror http://m -o x ": "image service --install=false --mirror http://m -o x a",
	} {
		got := flagsFirst(app, strings.Fields(given))
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s: %s", given, diff)
		}
	}
}

func TestWrongUsageIsExplained(t *testing.T) {
	for arguments, says := range map[string]string{
		"bake":                                   `command "bake" is unknown`,
		"service":                                "name at least one",
		"service operator":                       `service "operator" is none of discover`,
		"service discover --platform linux/s390": `platform "linux/s390" is none of`,
		"ceph --version 19.2.0":                  `ceph version "19.2.0" is of none of the lines 18.2.7 (reef)`,
		"base alpine":                            `base "alpine" is none of`,
		"smoke nothing":                          `image "nothing" is unknown`,
		"push --registry r":                      "name at least one image file",
		"list --colour":                          "flag provided but not defined",
	} {
		t.Run(arguments, func(t *testing.T) {
			_, err := invoke(t, strings.Fields(arguments)...)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Fatalf("got error %v, want one that says %q", err, says)
			}
			if got := exitCode(err); got != exitUsage {
				t.Errorf("got exit code %d, want %d", got, exitUsage)
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	for want, err := range map[int]error{
		exitFailed:  errors.New("broken"),
		exitUsage:   fmt.Errorf("run: %w", usage(errors.New("wrong"))),
		exitMissing: fmt.Errorf("find: %w", debian.ErrMissing),
	} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: got exit code %d, want %d", err, got, want)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	out, err := invoke(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"all", "service", "ceph", "rootfs", "base", "list", "smoke", "push", "Exit codes"} {
		if !strings.Contains(out, command) {
			t.Errorf("the help text does not name %s", command)
		}
	}
}

func TestDryRunBuildsNothing(t *testing.T) {
	out, err := invoke(t, "all", "--ceph", "20.2.4", "-n", "-o", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "ceph-tentacle") || !strings.Contains(out, "forky") {
		t.Errorf("got plan %q", out)
	}
}

func TestListShowsWhatIsNotBuilt(t *testing.T) {
	out, err := invoke(t, "list", "-o", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out, "not built"); lines != 9 {
		t.Errorf("got %d images that are not built, want 7 services and 2 of Ceph:\n%s", lines, out)
	}
}

func TestLinkReplacesNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ceph")
	for range 2 {
		if err := link("/rootfs/one", name); err != nil {
			t.Fatal(err)
		}
	}
	if err := link("/rootfs/two", name); !errors.Is(err, os.ErrExist) {
		t.Errorf("got error %v, want %v", err, os.ErrExist)
	}
}
