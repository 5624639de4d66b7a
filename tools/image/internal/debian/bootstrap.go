package debian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/store"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// Package is a Debian package of a file system.
type Package struct {
	// Name and Version are Debian's.
	Name, Version string
}

// Built is a finished file system.
type Built struct {
	tree.Layer
	// Recipe and Platform say what was asked for.
	Recipe, Platform string
	// Version is the upstream version of the recipe's Versioned package.
	Version string
	// Packages are sorted by name.
	Packages []Package
	// Path is the tar file. It is not stored.
	Path string `json:"-"`
}

// Bootstrap makes file systems and keeps them in a store.
type Bootstrap struct {
	// Store keeps the results.
	Store store.Store
	// Sources is where packages come from.
	Sources Sources
	// Progress gets one line per step of mmdebstrap.
	Progress io.Writer
	// Now is the clock.
	Now func() time.Time
}

// Names of the files of a stored file system.
const (
	layerFile = "layer.tar"
	builtFile = "built.json"
)

// Entry returns the name that a file system has in the store.
func Entry(recipe Recipe, platform Platform) (string, error) {
	key, err := store.Key(format, recipe, platform)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("images/%s-%s-%s", recipe.Name, platform.Arch, key), nil
}

// Get returns a file system from the store and makes it first when needed,
// which takes root, minutes and the package mirror.
func (b Bootstrap) Get(ctx context.Context, recipe Recipe, platform Platform) (Built, error) {
	entry, err := Entry(recipe, platform)
	if err != nil {
		return Built{}, err
	}
	dir, err := b.Store.Get(ctx, entry, func(dir string) error { return b.make(ctx, recipe, platform, dir) })
	if err != nil {
		return Built{}, fmt.Errorf("make file system %s for %s: %w", recipe.Name, platform, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, builtFile))
	if err != nil {
		return Built{}, fmt.Errorf("read file system: %w", err)
	}
	built := Built{Path: filepath.Join(dir, layerFile)}
	if err := json.Unmarshal(data, &built); err != nil {
		return Built{}, fmt.Errorf("decode %s: %w", builtFile, err)
	}
	return built, nil
}

func (b Bootstrap) make(ctx context.Context, recipe Recipe, platform Platform, dir string) error {
	raw, started := filepath.Join(dir, "raw.tar"), b.Now()
	if err := b.mmdebstrap(ctx, recipe, platform, raw); err != nil {
		return err
	}
	layer, err := tree.Reshape(raw, filepath.Join(dir, layerFile), recipe.Shape, started)
	if err != nil {
		return err
	}
	packages, err := readPackages(raw)
	if err != nil {
		return err
	}
	built := Built{Layer: layer, Recipe: recipe.Name, Platform: platform.String(), Packages: packages}
	for _, p := range packages {
		if p.Name == recipe.Versioned {
			built.Version = UpstreamVersion(p.Version)
		}
	}
	if built.Version == "" {
		return fmt.Errorf("find version of package %s: it was not installed", recipe.Versioned)
	}
	data, err := json.MarshalIndent(built, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, builtFile), data, 0o644), os.Remove(raw))
}

// recordPackages keeps what dpkg would know about unpacked packages: their
// control data and their lists of files.
const recordPackages = `d="$1/var/lib/dpkg/status.d"; mkdir -p "$d"
for deb in "$1"/var/cache/apt/archives/*.deb; do
  name=$(dpkg-deb -f "$deb" Package)
  dpkg-deb -f "$deb" > "$d/$name"
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums > "$d/$name.md5sums" 2>/dev/null || true
done`

// Arguments returns the arguments of mmdebstrap. The list is complete but for
// the mirror, which follows on standard input when it is not the default.
func Arguments(recipe Recipe, platform Platform, out string, sources Sources) []string {
	arguments := []string{
		"--mode=root", "--format=tar", "--variant=" + string(recipe.Variant), "--architectures=" + platform.Arch,
		"--include=" + strings.Join(recipe.Packages, ","),
		`--aptopt=Apt::Install-Recommends "false"`,
		// The archive of a release in preparation may not be signed anew for
		// weeks; its signature is still checked.
		`--aptopt=Acquire::Check-Valid-Until "false"`,
	}
	if recipe.Variant == Extracted {
		arguments = append(arguments, "--extract-hook="+recordPackages)
	} else {
		for _, path := range []string{"man/*", "info/*", "locale/*", "doc/*", "lintian/*"} {
			arguments = append(arguments, "--dpkgopt=path-exclude=/usr/share/"+path)
		}
		arguments = append(arguments, "--dpkgopt=path-include=/usr/share/doc/*/copyright")
	}
	if recipe.Customize != "" {
		arguments = append(arguments, "--customize-hook="+recipe.Customize)
	}
	arguments = append(arguments, recipe.Suite, out)
	if sources.Mirror != "" {
		return append(arguments, "-")
	}
	return arguments
}

// mmdebstrap runs the program and passes its steps on as progress.
func (b Bootstrap) mmdebstrap(ctx context.Context, recipe Recipe, platform Platform, out string) error {
	cmd := exec.CommandContext(ctx, "mmdebstrap", Arguments(recipe, platform, out, b.Sources)...)
	cmd.Stdin = strings.NewReader(b.Sources.Stanza(recipe.Suite))
	// Interrupted, mmdebstrap unmounts and removes what it made.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start mmdebstrap: %w", err)
	}
	last := b.report(output, recipe.Name+" "+platform.String())
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("run mmdebstrap: %w: %s", err, strings.Join(last, " | "))
	}
	return nil
}

// report shows the steps and returns the lines that explain a failure.
func (b Bootstrap) report(output io.Reader, what string) []string {
	const explaining = 8
	var last []string
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if step, ok := strings.CutPrefix(line, "I: "); ok {
			if short, isStep := strings.CutSuffix(step, "..."); isStep && !strings.HasPrefix(short, "finding") {
				_, _ = fmt.Fprintf(b.Progress, "%s: %s\n", what, short)
			}
			continue
		}
		if line == "" {
			continue
		}
		if last = append(last, line); len(last) > explaining {
			last = last[1:]
		}
	}
	return last
}
