package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// sharedDevices are the character devices that a machine has when its host
// has them. Of block devices it has only its own loop devices.
func sharedDevices() []string {
	return []string{
		"null", "zero", "full", "random", "urandom", "tty", "kmsg", "fuse", "kvm", "net/tun",
		"loop-control", "mapper/control", "btrfs-control", "vfio/vfio",
	}
}

// populateDevices fills the machine's /dev.
func populateDevices(root string, loops []int) error {
	dev := filepath.Join(root, "dev")
	for _, name := range sharedDevices() {
		var stat unix.Stat_t
		if err := unix.Stat(filepath.Join("/dev", name), &stat); err != nil {
			continue
		}
		if err := makeNode(filepath.Join(dev, name), stat.Mode, stat.Rdev); err != nil {
			return err
		}
	}
	for _, number := range loops {
		if err := MakeLoop(dev, number); err != nil {
			return err
		}
	}
	links := map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"ptmx": "pts/ptmx",
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("link device %s: %w", name, err)
		}
	}
	return nil
}

// MakeLoop makes the node of a loop device in a directory of devices. One that
// is there already is left alone.
func MakeLoop(dev string, number int) error {
	name := "loop" + strconv.Itoa(number)
	content, err := os.ReadFile(filepath.Join("/sys/block", name, "dev"))
	if err != nil {
		return fmt.Errorf("make device %s: %w", name, err)
	}
	major, minor, ok := strings.Cut(strings.TrimSpace(string(content)), ":")
	if !ok {
		return fmt.Errorf("make device %s: the kernel numbers it %q", name, content)
	}
	majorNumber, err := strconv.ParseUint(major, 10, 32)
	if err != nil {
		return fmt.Errorf("make device %s: %w", name, err)
	}
	minorNumber, err := strconv.ParseUint(minor, 10, 32)
	if err != nil {
		return fmt.Errorf("make device %s: %w", name, err)
	}
	return makeNode(filepath.Join(dev, name), unix.S_IFBLK|0o660, unix.Mkdev(uint32(majorNumber), uint32(minorNumber)))
}

func makeNode(path string, mode uint32, device uint64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make device: %w", err)
	}
	err := unix.Mknod(path, mode, int(device))
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make device %s: %w", path, err)
	}
	if err := os.Chmod(path, os.FileMode(mode&0o777)); err != nil {
		return fmt.Errorf("make device: %w", err)
	}
	return nil
}
