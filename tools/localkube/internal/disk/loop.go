package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const loopControl = "/dev/loop-control"

func device(number int) string { return "/dev/loop" + strconv.Itoa(number) }

func sysfs(number int, parts ...string) string {
	return filepath.Join(append([]string{"/sys/block/loop" + strconv.Itoa(number)}, parts...)...)
}

// Add makes the loop device of that number exist.
func Add(number int) error {
	if _, err := os.Stat(sysfs(number)); err == nil {
		return nil
	}
	err := control(unix.LOOP_CTL_ADD, number)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add loop device %d: %w", number, err)
	}
	return nil
}

// Remove makes the loop device of that number not exist.
func Remove(number int) error {
	if _, err := os.Stat(sysfs(number)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := control(unix.LOOP_CTL_REMOVE, number); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove loop device %d: %w", number, err)
	}
	return nil
}

// Backing returns the file behind a loop device; it is empty when there is
// none.
func Backing(number int) string {
	content, err := os.ReadFile(sysfs(number, "loop", "backing_file"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), " (deleted)")
}

// Attach puts the file behind the loop device of that number, past the page
// cache of the file where the file system can. It does nothing when the file
// is there already and refuses when another one is.
func Attach(number int, file string) error {
	if err := Add(number); err != nil {
		return err
	}
	if now := Backing(number); now == file {
		return nil
	} else if now != "" {
		return fmt.Errorf("attach %s: loop device %d already shows %s", file, number, now)
	}
	backing, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("attach disk: %w", err)
	}
	defer backing.Close()
	loop, err := open(number)
	if err != nil {
		return err
	}
	defer loop.Close()
	settings := unix.LoopConfig{Fd: uint32(backing.Fd())}
	settings.Info.Flags = unix.LO_FLAGS_DIRECT_IO
	copy(settings.Info.File_name[:len(settings.Info.File_name)-1], file)
	if err = unix.IoctlLoopConfigure(int(loop.Fd()), &settings); errors.Is(err, unix.EINVAL) {
		settings.Info.Flags = 0
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &settings)
	}
	if err != nil {
		return fmt.Errorf("attach %s to loop device %d: %w", file, number, err)
	}
	return nil
}

// Detach takes the file from behind a loop device. The kernel finishes it when
// the last user has closed the device.
func Detach(number int) error {
	if Backing(number) == "" {
		return nil
	}
	loop, err := open(number)
	if err != nil {
		return err
	}
	defer loop.Close()
	if err := unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_CLR_FD, 0); err != nil && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("detach loop device %d: %w", number, err)
	}
	return nil
}

// Announce makes the kernel say again that the device appeared or changed, for
// those who listen for new disks.
func Announce(number int, event string) error {
	if err := os.WriteFile(sysfs(number, "uevent"), []byte(event), 0o200); err != nil {
		return fmt.Errorf("announce loop device %d: %w", number, err)
	}
	return nil
}

// List returns the numbers of every loop device of the host.
func List() ([]int, error) {
	entries, err := os.ReadDir("/sys/block")
	if err != nil {
		return nil, fmt.Errorf("list loop devices: %w", err)
	}
	var numbers []int
	for _, entry := range entries {
		if rest, ok := strings.CutPrefix(entry.Name(), "loop"); ok {
			if number, err := strconv.Atoi(rest); err == nil {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers, nil
}

// open opens a loop device by its node in the host's /dev.
func open(number int) (*os.File, error) {
	loop, err := os.OpenFile(device(number), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open loop device: %w", err)
	}
	return loop, nil
}

func control(request uint, number int) error {
	file, err := os.OpenFile(loopControl, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.IoctlSetInt(int(file.Fd()), request, number)
}
