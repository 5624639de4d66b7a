package compile

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

// Program is a main package and the file that it becomes.
type Program struct {
	// Name is the file name in the image.
	Name string
	// Module is the module's directory, relative to the repository.
	Module string
	// Package is the package's directory, relative to the module.
	Package string
	// Librados links the program with the Ceph client libraries.
	Librados bool
}

// Exists tells whether the program's package has Go files.
func (p Program) Exists(repository string) bool {
	files, err := filepath.Glob(filepath.Join(repository, p.Module, p.Package, "*.go"))
	return err == nil && len(files) > 0
}

// Settings say how programs are built.
type Settings struct {
	// Repository is the top directory of the source.
	Repository string
	// Platform is what to build for.
	Platform debian.Platform
	// Version is what the program says about itself; empty keeps its default.
	Version string
	// Sysroot holds headers and libraries of the platform. Only programs with
	// librados need it.
	Sysroot string
	// CephVersion is the version of the libraries in Sysroot.
	CephVersion string
}

// versionVariable is the variable that Version is linked into.
const versionVariable = "github.com/rook-ceph/rook-ceph/shared/version.version"

// Compiler returns the C compiler for an architecture on this machine, as
// command and as Debian package.
func Compiler(arch string) (command, pkg string) {
	if arch == runtime.GOARCH {
		return "gcc", "gcc"
	}
	triplet := debian.Platform{Arch: arch}.Triplet()
	return triplet + "-gcc", "gcc-" + strings.ReplaceAll(triplet, "_", "-")
}

// Arguments returns the arguments of the go command. No program has package net from
// the C library, so that its compiled form is the same with cgo and without, and so is
// that of all packages above it.
func (s Settings) Arguments(program Program, out string) []string {
	flags := "-s -w"
	if s.Version != "" {
		flags += " -X " + versionVariable + "=" + s.Version
	}
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=" + flags, "-o", out}
	tags := []string{"netgo", "osusergo"}
	if program.Librados {
		tags = append(tags, librados(s.CephVersion)...)
	}
	return append(arguments, "-tags="+strings.Join(tags, ","), "./"+filepath.ToSlash(filepath.Clean(program.Package)))
}

// librados returns the build tags for a version of the client libraries: go-ceph
// wants to be told about versions older than those it supports by default.
func librados(cephVersion string) []string {
	old := map[string]string{"16": "pacific", "17": "quincy"}
	major, _, _ := strings.Cut(cephVersion, ".")
	if tag, ok := old[major]; ok {
		return []string{"librados", tag}
	}
	return []string{"librados"}
}

// Environment returns what is added to the environment of the go command.
func (s Settings) Environment(program Program) []string {
	environment := []string{"GOWORK=off", "GOOS=linux", "GOARCH=" + s.Platform.Arch}
	if !program.Librados {
		return append(environment, "CGO_ENABLED=0")
	}
	compiler, _ := Compiler(s.Platform.Arch)
	// A native compiler looks into this machine's own library directory
	// before the sysroot; -B puts the sysroot's first.
	libraries := filepath.Join(s.Sysroot, "usr/lib", s.Platform.Triplet())
	return append(environment, "CGO_ENABLED=1", "CC="+compiler+" --sysroot="+s.Sysroot+" -B"+libraries)
}

// Build builds a program into the file out.
func (s Settings) Build(ctx context.Context, program Program, out string) error {
	if !program.Exists(s.Repository) {
		return fmt.Errorf("build %s: no Go files in %s", program.Name, filepath.Join(program.Module, program.Package))
	}
	cmd := exec.CommandContext(ctx, "go", s.Arguments(program, out)...)
	cmd.Dir = filepath.Join(s.Repository, program.Module)
	cmd.Env = append(os.Environ(), s.Environment(program)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", program.Name, s.Platform, err, firstLines(string(output)))
	}
	return nil
}

// firstLines cuts the output of a failed build to what names the cause.
func firstLines(output string) string {
	const lines, width = 30, 400
	all := strings.Split(strings.TrimSpace(output), "\n")
	if len(all) > lines {
		all = append(all[:lines], fmt.Sprintf("and %d more lines", len(all)-lines))
	}
	for i, line := range all {
		if len(line) > width {
			all[i] = line[:width] + "…"
		}
	}
	return strings.Join(all, "\n")
}
