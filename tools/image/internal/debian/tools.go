package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// ErrMissing is returned when a program is missing and may not be installed.
var ErrMissing = errors.New("missing")

// Tool is something that this machine must have.
type Tool struct {
	// Provides is a command in PATH or an absolute path.
	Provides string
	// Package is the Debian package with it.
	Package string
}

// BootstrapTools returns what a file system for a platform needs here.
func BootstrapTools(recipe Recipe, platform Platform, host string) []Tool {
	tools := []Tool{
		{Provides: "mmdebstrap", Package: "mmdebstrap"},
		{Provides: archiveKeyring, Package: "debian-archive-keyring"},
	}
	if recipe.Variant == Installed && platform.Arch != host {
		tools = append(tools, Emulator(platform), Tool{Provides: "arch-test", Package: "arch-test"})
	}
	return tools
}

// Emulator returns the program that runs a platform's programs on another.
func Emulator(platform Platform) Tool {
	command := map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}[platform.Arch]
	return Tool{Provides: command, Package: "qemu-user-static"}
}

// Ensure makes sure that all tools are there. With install it installs missing
// ones with apt-get, which takes root; without, it names them in the error,
// which is ErrMissing.
func Ensure(ctx context.Context, tools []Tool, install bool, progress io.Writer) error {
	packages := missing(tools)
	if len(packages) == 0 {
		return nil
	}
	command := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	if !install {
		return fmt.Errorf("find packages %s: %w; run %s, or pass --install", strings.Join(packages, ", "), ErrMissing, command)
	}
	_, _ = fmt.Fprintf(progress, "installing %s\n", strings.Join(packages, ", "))
	err := aptGet(ctx, append([]string{"install", "--yes", "--no-install-recommends"}, packages...)...)
	if err == nil {
		return nil
	}
	// The package lists may be absent or older than the archive.
	if update := aptGet(ctx, "update"); update != nil {
		return fmt.Errorf("install %s: %w", strings.Join(packages, ", "), errors.Join(err, update))
	}
	return aptGet(ctx, append([]string{"install", "--yes", "--no-install-recommends"}, packages...)...)
}

func missing(tools []Tool) []string {
	var packages []string
	for _, tool := range tools {
		var err error
		if strings.HasPrefix(tool.Provides, "/") {
			_, err = os.Stat(tool.Provides)
		} else {
			_, err = exec.LookPath(tool.Provides)
		}
		if err != nil && !slices.Contains(packages, tool.Package) {
			packages = append(packages, tool.Package)
		}
	}
	return packages
}

// aptGet runs apt-get and waits for its lock when another one runs.
func aptGet(ctx context.Context, arguments ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=600", "--quiet"}, arguments...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		return fmt.Errorf("run apt-get %s: %w: %s", arguments[0], err, lines[len(lines)-1])
	}
	return nil
}

// CanRun tells whether this machine runs programs of a platform, itself or
// through an emulator that the kernel knows.
func CanRun(platform Platform, host string) bool {
	if platform.Arch == host {
		return true
	}
	name := map[string]string{"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}[platform.Arch]
	_, err := os.Stat("/proc/sys/fs/binfmt_misc/" + name)
	return err == nil
}
