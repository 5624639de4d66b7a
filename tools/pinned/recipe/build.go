package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
)

// Builder builds recipes into a cache.
type Builder struct {
	// Source is the directory tools/pinned of the repository.
	Source string
	// Cache is where finished builds are kept; see DefaultCache.
	Cache string
	// Output receives what the go command says while it builds.
	Output io.Writer
	// Target is the platform that is built for, as the go command names it.
	Target Target
}

// Target is what a build is made with and for.
type Target struct {
	OS, Arch, GoVersion string
}

// Built says where the programs of a recipe are.
type Built struct {
	// Directory holds the programs and their aliases.
	Directory string
	// Fresh is true when this call built them.
	Fresh bool
}

// Path returns the path of one program or alias of the recipe.
func (b Built) Path(program string) string { return filepath.Join(b.Directory, program) }

// DefaultCache returns ${XDG_CACHE_HOME:-$HOME/.cache}/rook-ceph/bin.
func DefaultCache() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w", err)
	}
	return filepath.Join(base, "rook-ceph", "bin"), nil
}

// Build returns the recipe's programs, building them when the cache has no
// finished build with the same key. Concurrent calls, also from other
// processes, build once.
func (b Builder) Build(ctx context.Context, recipe Recipe) (Built, error) {
	key, err := b.Key(recipe)
	if err != nil {
		return Built{}, err
	}
	built := Built{Directory: filepath.Join(b.Cache, recipe.Name+"-"+key)}
	if finished(built.Directory) {
		return built, nil
	}
	unlock, err := lock(filepath.Join(b.Cache, recipe.Name+".lock"))
	if err != nil {
		return Built{}, err
	}
	defer unlock()
	if finished(built.Directory) {
		return built, nil
	}
	built.Fresh = true
	fmt.Fprintf(b.Output, "building %s: %s\n", recipe.Name, recipe.About)
	return built, b.make(ctx, recipe, built.Directory)
}

// Link makes directory/<program> a link to each program and alias.
func (b Builder) Link(recipe Recipe, built Built, directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("create link directory: %w", err)
	}
	for _, name := range recipe.names() {
		if err := replaceLink(built.Path(name), filepath.Join(directory, name)); err != nil {
			return err
		}
	}
	return nil
}

// names returns the programs and aliases, sorted.
func (r Recipe) names() []string {
	names := make([]string, 0, len(r.Programs)+len(r.Aliases))
	for name := range r.Programs {
		names = append(names, name)
	}
	for name := range r.Aliases {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (b Builder) make(ctx context.Context, recipe Recipe, target string) error {
	temporary, err := os.MkdirTemp(b.Cache, ".building-"+recipe.Name+"-")
	if err != nil {
		return fmt.Errorf("create build directory: %w", err)
	}
	defer os.RemoveAll(temporary)
	for _, program := range recipe.names() {
		if recipe.Programs[program] == "" {
			continue
		}
		if err := b.compile(ctx, recipe, program, filepath.Join(temporary, program)); err != nil {
			return err
		}
	}
	for alias, program := range recipe.Aliases {
		if err := os.Symlink(program, filepath.Join(temporary, alias)); err != nil {
			return fmt.Errorf("name %s of %s: %w", alias, recipe.Name, err)
		}
	}
	for name, source := range recipe.Files {
		if err := b.copy(ctx, recipe, source, filepath.Join(temporary, name)); err != nil {
			return err
		}
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("open build of %s: %w", recipe.Name, err)
	}
	if err := os.Rename(temporary, target); err != nil {
		return fmt.Errorf("keep build of %s: %w", recipe.Name, err)
	}
	return nil
}

func (b Builder) command(ctx context.Context, recipe Recipe, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = filepath.Join(b.Source, recipe.Name)
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+b.Target.OS, "GOARCH="+b.Target.Arch)
	return command
}

// copy copies a file of a module, which the programs are built from as well and
// which so is on this machine.
func (b Builder) copy(ctx context.Context, recipe Recipe, source Source, output string) error {
	directory, err := b.command(ctx, recipe, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", source.Module).Output()
	if err != nil {
		return fmt.Errorf("find module %s of %s: %w", source.Module, recipe.Name, err)
	}
	content, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(directory)), source.Path))
	if err != nil {
		return fmt.Errorf("read %s of module %s: %w", source.Path, source.Module, err)
	}
	if err := os.WriteFile(output, content, 0o644); err != nil {
		return fmt.Errorf("copy %s of module %s: %w", source.Path, source.Module, err)
	}
	return nil
}

func (b Builder) compile(ctx context.Context, recipe Recipe, program, output string) error {
	command := b.command(ctx, recipe, arguments(recipe, program, output)...)
	var said bytes.Buffer
	command.Stdout = io.MultiWriter(&said, b.Output)
	command.Stderr = command.Stdout
	if err := command.Run(); err != nil {
		return fmt.Errorf("build %s with go: %w: %s", program, err, lastLines(said.String(), 5))
	}
	return nil
}

// arguments returns the go command's arguments that build one program. The project's own
// code is compiled with the same tags: where both depend on the same versions, what one
// has compiled serves the other.
func arguments(recipe Recipe, program, output string) []string {
	linker := []string{"-s", "-w"}
	for _, variable := range recipe.Variables {
		linker = append(linker, "-X", variable)
	}
	tags := slices.Concat([]string{"netgo", "osusergo"}, recipe.Tags)
	return []string{
		"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", strings.Join(linker, " "),
		"-tags", strings.Join(tags, ","), "-o", output, recipe.Programs[program],
	}
}

func finished(directory string) bool {
	info, err := os.Stat(directory)
	return err == nil && info.IsDir()
}

// lock takes an exclusive lock that ends with the process or the returned call.
func lock(path string) (func(), error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create cache: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// replaceLink points link at target in one step, so that a reader never meets
// a missing link.
func replaceLink(target, link string) error {
	if now, err := os.Readlink(link); err == nil && now == target {
		return nil
	}
	temporary := fmt.Sprintf("%s.%d", link, os.Getpid())
	if err := os.Symlink(target, temporary); err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	if err := os.Rename(temporary, link); err != nil {
		return errors.Join(fmt.Errorf("link %s: %w", link, err), os.Remove(temporary))
	}
	return nil
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > count {
		lines = lines[len(lines)-count:]
	}
	return strings.Join(lines, "\n")
}
