package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Unpack extracts a layer into an empty directory with its owners, modes and
// extended attributes. It needs root and GNU tar.
func Unpack(ctx context.Context, layer, dir string) error {
	cmd := exec.CommandContext(ctx, "tar", "--extract", "--preserve-permissions", "--numeric-owner",
		"--xattrs", "--xattrs-include=*", "--file", layer, "--directory", dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w: %s", layer, err, strings.TrimSpace(string(output)))
	}
	return nil
}

// Devices adds the few device nodes and links that programs expect in /dev
// when they run in a plain chroot. Containers bring their own.
func Devices(dir string) error {
	nodes := map[string]int{"null": 0x103, "zero": 0x105, "full": 0x107, "random": 0x108, "urandom": 0x109, "tty": 0x500}
	links := map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	}
	dev := filepath.Join(dir, "dev")
	failed := os.MkdirAll(filepath.Join(dev, "shm"), 0o1777)
	for name, number := range nodes {
		path := filepath.Join(dev, name)
		if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, number); err != nil {
			failed = errors.Join(failed, fmt.Errorf("make device %s: %w", path, err))
			continue
		}
		failed = errors.Join(failed, os.Chmod(path, 0o666))
	}
	for name, target := range links {
		failed = errors.Join(failed, os.Symlink(target, filepath.Join(dev, name)))
	}
	return failed
}
