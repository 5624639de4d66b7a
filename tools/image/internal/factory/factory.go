package factory

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/catalog"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/compile"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/oci"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/store"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// Factory builds images on one machine.
type Factory struct {
	// Repository is the top directory of the source.
	Repository string
	// Store keeps file systems between runs.
	Store store.Store
	// Sources is where Debian packages come from.
	Sources debian.Sources
	// Progress gets lines for people.
	Progress io.Writer
	// Install allows to install missing Debian packages.
	Install bool
	// Out is the directory of the image files.
	Out string
	// Tag is the tag of service images.
	Tag string
	// Version is linked into programs; empty keeps their default.
	Version string
	// Created is the time that images carry.
	Created time.Time
	// Now is the clock.
	Now func() time.Time
}

// Result is one image file.
type Result struct {
	// Names are the names of the image.
	Names []string
	// File is the tar file in OCI layout.
	File string
	// Digest is that of the image index.
	Digest string
	// Size is the length of the file in bytes.
	Size int64
	// Changed tells whether the file was written; otherwise it already held
	// the same image.
	Changed bool
}

// fileSystem makes sure that a recipe's file system is in the store.
func (f Factory) fileSystem(ctx context.Context, recipe debian.Recipe, platform debian.Platform) (debian.Built, error) {
	entry, err := debian.Entry(recipe, platform)
	if err != nil {
		return debian.Built{}, err
	}
	if !f.Store.Has(entry) {
		if err := f.prepare(ctx, recipe, platform); err != nil {
			return debian.Built{}, err
		}
	}
	bootstrap := debian.Bootstrap{Store: f.Store, Sources: f.Sources, Progress: f.Progress, Now: f.Now}
	return bootstrap.Get(ctx, recipe, platform)
}

// prepare checks what only the making of a file system needs.
func (f Factory) prepare(ctx context.Context, recipe debian.Recipe, platform debian.Platform) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("make file system %s: mmdebstrap needs root here", recipe.Name)
	}
	if err := debian.Ensure(ctx, debian.BootstrapTools(recipe, platform, runtime.GOARCH), f.Install, f.Progress); err != nil {
		return err
	}
	if recipe.Variant == debian.Installed && !debian.CanRun(platform, runtime.GOARCH) {
		return fmt.Errorf("make file system %s for %s: its package scripts must run here, and the kernel has no binfmt_misc entry for them;"+
			" mount binfmt_misc and register %s", recipe.Name, platform, debian.Emulator(platform).Provides)
	}
	return nil
}

// layers returns the layers of a base.
func (f Factory) layers(ctx context.Context, base catalog.Base, platform debian.Platform) ([]oci.Layer, string, error) {
	if base == catalog.Empty {
		layer, err := f.skeleton(ctx)
		return []oci.Layer{layer}, "", err
	}
	recipe, err := catalog.BaseRecipe(base, platform)
	if err != nil {
		return nil, "", err
	}
	built, err := f.fileSystem(ctx, recipe, platform)
	if err != nil {
		return nil, "", err
	}
	comment := fmt.Sprintf("Debian %s with librados %s", recipe.Suite, built.Version)
	return []oci.Layer{{Layer: built.Layer, Path: built.Path, Comment: comment}}, built.Version, nil
}

// skeleton returns the layer of the empty base.
func (f Factory) skeleton(ctx context.Context) (oci.Layer, error) {
	shape := catalog.Skeleton()
	key, err := store.Key(shape, f.Created.Unix())
	if err != nil {
		return oci.Layer{}, err
	}
	write := func(dir string) error {
		_, err := tree.Skeleton(filepath.Join(dir, "layer.tar"), f.Created, shape)
		return err
	}
	dir, err := f.Store.Get(ctx, "images/empty-"+key, write)
	if err != nil {
		return oci.Layer{}, fmt.Errorf("make empty base: %w", err)
	}
	path := filepath.Join(dir, "layer.tar")
	layer, err := tree.Digest(path)
	return oci.Layer{Layer: layer, Path: path, Comment: "user table and directories"}, err
}

// Base makes sure that a base is in the store and describes it.
func (f Factory) Base(ctx context.Context, base catalog.Base, platform debian.Platform) (debian.Built, error) {
	recipe, err := catalog.BaseRecipe(base, platform)
	if err != nil {
		return debian.Built{}, err
	}
	return f.fileSystem(ctx, recipe, platform)
}

// Ceph builds the image of a Ceph release.
func (f Factory) Ceph(ctx context.Context, release catalog.Release, platforms []debian.Platform) (Result, error) {
	var parts []oci.Part
	version := ""
	for _, platform := range platforms {
		built, err := f.fileSystem(ctx, release.Recipe(platform), platform)
		if err != nil {
			return Result{}, err
		}
		if version != "" && version != built.Version {
			return Result{}, fmt.Errorf("build ceph %s: %s has version %s, the platforms before it %s",
				release.Series, platform, built.Version, version)
		}
		version = built.Version
		comment := fmt.Sprintf("Debian %s with Ceph %s", release.Suite, version)
		parts = append(parts, oci.Part{Arch: platform.Arch, Layers: []oci.Layer{{Layer: built.Layer, Path: built.Path, Comment: comment}}})
	}
	labels := f.labels("ceph", "Ceph "+version+" ("+release.Series+") from Debian packages.", version)
	labels["org.opencontainers.image.licenses"] = "LGPL-2.1-only OR LGPL-3.0-only"
	labels["ceph.rook.io/series"] = release.Series
	contents := oci.Contents{Command: []string{"/bin/bash"}, Labels: labels, Created: f.Created}
	prefix := catalog.Repository + "/ceph:"
	return f.write("ceph-"+release.Series, contents, parts, prefix+"v"+version, prefix+release.Series)
}

// Service builds the image of a service.
func (f Factory) Service(ctx context.Context, service catalog.Service, platforms []debian.Platform) (result Result, err error) {
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return Result{}, fmt.Errorf("create image directory: %w", err)
	}
	// Services share programs, and two runs share their files.
	unlock, err := store.Lock(ctx, filepath.Join(f.Out, ".lock"))
	if err != nil {
		return Result{}, fmt.Errorf("lock image directory: %w", err)
	}
	defer unlock()
	work, err := os.MkdirTemp("", "image-")
	if err != nil {
		return Result{}, fmt.Errorf("create work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	labels := f.labels(service.Name, service.Description, f.Version)
	var parts []oci.Part
	for _, platform := range platforms {
		layers, librados, err := f.layers(ctx, service.Base, platform)
		if err != nil {
			return Result{}, err
		}
		if librados != "" {
			labels["ceph.rook.io/librados"] = librados
		}
		programs, err := f.programs(ctx, service, platform, filepath.Join(work, platform.Arch+".tar"))
		if err != nil {
			return Result{}, err
		}
		parts = append(parts, oci.Part{Arch: platform.Arch, Layers: append(layers, programs)})
	}
	contents := oci.Contents{
		User: catalog.Nonroot, Entrypoint: []string{"/usr/local/bin/" + service.Name}, Labels: labels, Created: f.Created,
	}
	return f.write(service.Name, contents, parts, catalog.Repository+"/"+service.Name+":"+f.Tag)
}

// programs builds the programs of a service and returns their layer.
func (f Factory) programs(ctx context.Context, service catalog.Service, platform debian.Platform, layer string) (oci.Layer, error) {
	settings := compile.Settings{Repository: f.Repository, Platform: platform, Version: f.Version}
	var files []tree.Program
	for _, program := range service.Programs {
		if program.Librados && settings.Sysroot == "" {
			if err := f.sysroot(ctx, &settings); err != nil {
				return oci.Layer{}, err
			}
		}
		// A kept file lets the go command see that nothing is to be linked.
		out := filepath.Join(f.Out, ".programs", platform.Arch, program.Name)
		_, _ = fmt.Fprintf(f.Progress, "%s %s: building %s\n", service.Name, platform, program.Name)
		if err := settings.Build(ctx, program, out); err != nil {
			return oci.Layer{}, err
		}
		files = append(files, tree.Program{From: out, To: "usr/local/bin/" + program.Name})
	}
	written, err := tree.Programs(layer, f.Created, files)
	var names []string
	for _, program := range service.Programs {
		names = append(names, program.Name)
	}
	return oci.Layer{Layer: written, Path: layer, Comment: "programs " + strings.Join(names, ", ")}, err
}

// sysroot fills in what programs with librados are built against.
func (f Factory) sysroot(ctx context.Context, settings *compile.Settings) error {
	command, pkg := compile.Compiler(settings.Platform.Arch)
	if err := debian.Ensure(ctx, []debian.Tool{{Provides: command, Package: pkg}}, f.Install, f.Progress); err != nil {
		return err
	}
	built, err := f.fileSystem(ctx, catalog.Sysroot(), settings.Platform)
	if err != nil {
		return err
	}
	entry := "sysroot/" + settings.Platform.Arch + "-" + built.Digest[:16]
	settings.Sysroot, err = f.Store.Get(ctx, entry, func(dir string) error { return tree.Unpack(ctx, built.Path, dir) })
	settings.CephVersion = built.Version
	return err
}

// Rootfs unpacks the file system of a Ceph release and returns its path, which
// stays the same when the release gets a newer version.
func (f Factory) Rootfs(ctx context.Context, release catalog.Release, platform debian.Platform) (path, version string, err error) {
	built, err := f.fileSystem(ctx, release.Recipe(platform), platform)
	if err != nil {
		return "", "", err
	}
	name := "rootfs/ceph-" + release.Series
	if platform.Arch != runtime.GOARCH {
		name += "-" + platform.Arch
	}
	entry := name + "-" + built.Digest[:16]
	unpack := func(dir string) error {
		_, _ = fmt.Fprintf(f.Progress, "unpacking Ceph %s\n", built.Version)
		if err := tree.Unpack(ctx, built.Path, dir); err != nil {
			return err
		}
		return tree.Devices(dir)
	}
	if _, err := f.Store.Get(ctx, entry, unpack); err != nil {
		return "", "", fmt.Errorf("unpack ceph %s: %w", release.Series, err)
	}
	path, err = f.Store.Link(name, entry)
	return path, built.Version, err
}

func (f Factory) labels(title, description, version string) map[string]string {
	const prefix = "org.opencontainers.image."
	labels := map[string]string{
		prefix + "title":       title,
		prefix + "description": description,
		prefix + "source":      "https://github.com/rook-ceph/rook-ceph",
		prefix + "licenses":    "Apache-2.0",
		prefix + "created":     f.Created.UTC().Format(time.RFC3339),
	}
	if version != "" {
		labels[prefix+"version"] = version
	}
	return labels
}

// write stores an image as a tar file.
func (f Factory) write(file string, contents oci.Contents, parts []oci.Part, names ...string) (Result, error) {
	index, err := oci.Assemble(contents, parts...)
	if err != nil {
		return Result{}, err
	}
	result := Result{Names: names, File: filepath.Join(f.Out, file+".tar")}
	if result.Changed, err = oci.WriteArchive(result.File, index, names...); err != nil {
		return Result{}, err
	}
	digest, err := index.Digest()
	if err != nil {
		return Result{}, err
	}
	info, err := os.Stat(result.File)
	if err != nil {
		return Result{}, err
	}
	result.Digest, result.Size = digest.String(), info.Size()
	return result, nil
}
