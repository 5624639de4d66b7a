package factory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/catalog"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/oci"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// checkLimit is how long one command of a smoke test may run.
const checkLimit = time.Minute

// emulator is where a foreign image gets the program that runs its programs.
const emulator = "/.emulator"

// Smoke unpacks an image file for a platform and runs checks in it; programs
// of a foreign architecture are emulated. It reports all checks that fail, not
// only the first.
func (f Factory) Smoke(ctx context.Context, file string, platform debian.Platform, checks []catalog.Check) (err error) {
	dir, err := os.MkdirTemp("", "image-smoke-")
	if err != nil {
		return fmt.Errorf("create directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := oci.Unpack(ctx, file, platform.Arch, dir); err != nil {
		return err
	}
	if err := tree.Devices(dir); err != nil {
		return err
	}
	var wrapper []string
	if platform.Arch != runtime.GOARCH {
		if err := f.emulate(ctx, platform, dir); err != nil {
			return err
		}
		wrapper = []string{emulator}
	}
	var failed *multierror.Error
	for _, check := range checks {
		output, err := run(ctx, dir, wrapper, check)
		line, _, _ := strings.Cut(output, "\n")
		if err != nil {
			failed = multierror.Append(failed, err)
			line = "FAILED: " + err.Error()
		}
		_, _ = fmt.Fprintf(f.Progress, "  %-24s %s\n", check.Command[0], line)
	}
	return failed.ErrorOrNil()
}

// emulate puts an emulator into a file system. It is static, so it needs
// nothing there, and called by name, so the kernel need not know it.
func (f Factory) emulate(ctx context.Context, platform debian.Platform, dir string) error {
	tool := debian.Emulator(platform)
	if err := debian.Ensure(ctx, []debian.Tool{tool}, f.Install, f.Progress); err != nil {
		return err
	}
	path, err := exec.LookPath(tool.Provides)
	if err != nil {
		return fmt.Errorf("find emulator: %w", err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read emulator: %w", err)
	}
	if err := os.WriteFile(dir+emulator, program, 0o755); err != nil {
		return fmt.Errorf("write emulator: %w", err)
	}
	return nil
}

// run runs a check in a chroot with namespaces of its own, so that nothing it
// starts or mounts outlives it.
func run(ctx context.Context, dir string, wrapper []string, check catalog.Check) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	command := slices.Concat(wrapper, []string{lookIn(dir, check.Command[0])}, check.Command[1:])
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "LVM_SUPPRESS_FD_WARNINGS=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: dir, Pdeathsig: syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
	}
	output, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(output))
	var exit *exec.ExitError
	if err != nil && (!check.Fails || !errors.As(err, &exit)) {
		return text, fmt.Errorf("run %s: %w: %s", strings.Join(check.Command, " "), err, text)
	}
	if !strings.Contains(text, check.Says) {
		return text, fmt.Errorf("run %s: want %q in its output, got %q", strings.Join(check.Command, " "), check.Says, text)
	}
	return text, nil
}

// lookIn finds a program in a file system as a shell in it would.
func lookIn(dir, command string) string {
	if strings.HasPrefix(command, "/") {
		return command
	}
	for _, place := range []string{"/usr/local/bin/", "/usr/sbin/", "/usr/bin/"} {
		if _, err := os.Lstat(dir + place + command); err == nil {
			return place + command
		}
	}
	return "/usr/bin/" + command
}
