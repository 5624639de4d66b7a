package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// buildRoot makes spec.Root() a complete file system in a mount namespace of
// its own. Nothing that it mounts is seen by the host.
func buildRoot(spec Spec) error {
	root := spec.Root()
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, directory := range []string{"etc", "var/lib", "var/log", "root", "home", "mnt", "opt", "srv", "tmp", "old"} {
		if err := os.MkdirAll(filepath.Join(root, directory), 0o755); err != nil {
			return fmt.Errorf("create root of %s: %w", spec.Name, err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), os.ModeSticky|0o777); err != nil {
		return fmt.Errorf("create root of %s: %w", spec.Name, err)
	}
	if err := bind(root, root, unix.MS_REC); err != nil {
		return err
	}
	return errors.Join(
		showPrograms(root),
		showBinds(spec),
		mountKernel(root),
		populateDevices(root, spec.Loops),
	)
}

// enterRoot makes the built file system "/" and forgets the host's. Its
// mounts become shared, as CSI drivers need it.
func enterRoot(spec Spec) error {
	root := spec.Root()
	if err := unix.PivotRoot(root, filepath.Join(root, "old")); err != nil {
		return fmt.Errorf("enter root of %s: %w", spec.Name, err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("enter root of %s: %w", spec.Name, err)
	}
	if err := unix.Unmount("/old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave root of the host: %w", err)
	}
	if err := os.Remove("/old"); err != nil {
		return fmt.Errorf("leave root of the host: %w", err)
	}
	if err := mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(spec.Name)); err != nil {
		return fmt.Errorf("name machine %s: %w", spec.Name, err)
	}
	return nil
}

// showPrograms shows the host's programs and libraries. Where the host has a
// link, as on merged-/usr systems, the machine has the same link.
func showPrograms(root string) error {
	for _, path := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		info, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
		if info.Mode()&os.ModeSymlink != 0 {
			err = copyLink(path, filepath.Join(root, path))
		} else {
			err = showReadOnly(path, filepath.Join(root, path))
		}
		if err != nil {
			return err
		}
	}
	for _, path := range []string{"/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache", "/etc/protocols", "/etc/services"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := showReadOnly(path, filepath.Join(root, path)); err != nil {
			return err
		}
	}
	return nil
}

func showBinds(spec Spec) error {
	for _, bind := range spec.Binds {
		if err := showReadOnly(bind.From, filepath.Join(spec.Root(), bind.To)); err != nil {
			return err
		}
	}
	return nil
}

// mountKernel mounts the kernel's own file systems. Some files of /proc/sys
// belong to the whole host; the kubelet insists on values for a few of them,
// so it finds those values in files that lie over them, and the host keeps its
// own.
func mountKernel(root string) error {
	in := func(path string) string { return filepath.Join(root, path) }
	mounts := []struct {
		kind, target string
		flags        uintptr
		data         string
	}{
		{"proc", in("/proc"), unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", in("/sys"), unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", in("/run"), unix.MS_NOSUID, "mode=755"},
		{"tmpfs", in("/dev"), unix.MS_NOSUID, "mode=755"},
		{"devpts", in("/dev/pts"), unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", in("/dev/shm"), unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"mqueue", in("/dev/mqueue"), unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return fmt.Errorf("create mount point: %w", err)
		}
		if err := mount(m.kind, m.target, m.kind, m.flags, m.data); err != nil {
			return err
		}
	}
	if err := bind("/sys/fs/cgroup", in("/sys/fs/cgroup"), unix.MS_REC); err != nil {
		return err
	}
	return maskSettings(root)
}

// kubeletSettings returns the host-wide kernel settings that the kubelet would
// change, with the values that it wants to find.
func kubeletSettings() map[string]string {
	return map[string]string{
		"vm/overcommit_memory":      "1",
		"vm/panic_on_oom":           "0",
		"kernel/panic":              "10",
		"kernel/panic_on_oops":      "1",
		"kernel/keys/root_maxkeys":  "1000000",
		"kernel/keys/root_maxbytes": "25000000",
	}
}

func maskSettings(root string) error {
	directory := filepath.Join(root, "run", "localkube", "settings")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("create masks: %w", err)
	}
	for name, value := range kubeletSettings() {
		target := filepath.Join(root, "proc", "sys", name)
		if _, err := os.Stat(target); err != nil {
			continue
		}
		mask := filepath.Join(directory, filepath.Base(name))
		if err := os.WriteFile(mask, []byte(value+"\n"), 0o644); err != nil {
			return fmt.Errorf("create mask of %s: %w", name, err)
		}
		if err := bind(mask, target, 0); err != nil {
			return err
		}
	}
	return nil
}
