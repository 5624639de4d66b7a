package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s %s on %s: %w", kind, source, target, err)
	}
	return nil
}

// bind shows source at target, which must exist.
func bind(source, target string, flags uintptr) error {
	if err := mount(source, target, "", unix.MS_BIND|flags, ""); err != nil {
		return err
	}
	return mount("", target, "", unix.MS_PRIVATE|flags, "")
}

// showReadOnly shows a file or directory at a target that is created when it
// is missing.
func showReadOnly(source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("show %s: %w", source, err)
	}
	if err := createLike(info, target); err != nil {
		return fmt.Errorf("show %s: %w", source, err)
	}
	if err := bind(source, target, unix.MS_REC); err != nil {
		return err
	}
	return mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

func createLike(info os.FileInfo, target string) error {
	if info.IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

func copyLink(source, target string) error {
	to, err := os.Readlink(source)
	if err != nil {
		return fmt.Errorf("copy link %s: %w", source, err)
	}
	if err := os.Symlink(to, target); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("copy link %s: %w", source, err)
	}
	return nil
}
