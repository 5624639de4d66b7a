package filesystem

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// makers holds the program and arguments that make each file system. A new
// image reads as zeros, so nothing needs to be discarded or zeroed first.
func makers() map[string][]string {
	return map[string][]string{
		"ext4": {"mkfs.ext4", "-F", "-m0", "-Enodiscard,lazy_itable_init=1,lazy_journal_init=1"},
		"xfs":  {"mkfs.xfs", "-f", "-K"},
	}
}

// Tools reads devices itself and makes file systems with the mkfs programs.
type Tools struct{}

// Format makes a file system on the device, whatever is on it: call Decide
// first. Options replace the standard ones if given.
func (Tools) Format(ctx context.Context, device, kind, options string) error {
	maker, ok := makers()[kind]
	if !ok {
		return supported(kind)
	}
	args := maker[1:]
	if options != "" {
		args = append([]string{maker[1]}, strings.Fields(options)...)
	}
	args = append(append([]string(nil), args...), device)
	if err := run(ctx, maker[0], args...); err != nil {
		return fmt.Errorf("make %s on %s: %w", kind, device, err)
	}
	return nil
}

// Grow makes the file system of a device, mounted at a path, as large as the device. It
// does nothing where it is so already. It goes on while files are in use, and what a crash
// interrupts the next call ends.
func (Tools) Grow(ctx context.Context, device, where, kind string) error {
	var err error
	switch kind {
	case "xfs":
		err = run(ctx, "xfs_growfs", "-d", where)
	case "ext4", "ext3", "ext2":
		err = run(ctx, "resize2fs", device)
	default:
		err = fmt.Errorf("%w: %q cannot grow", ErrUnsupported, kind)
	}
	if err != nil {
		return fmt.Errorf("grow %s on %s: %w", kind, device, err)
	}
	return nil
}

func run(ctx context.Context, program string, args ...string) error {
	output, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaint(program, string(output)))
	}
	return nil
}

// complaint is what a program that failed says of itself, or the first line: some begin
// with their version.
func complaint(program, output string) string {
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, program+":") {
			return strings.TrimSpace(line)
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
	return first
}

// Look reads what is on a device, past the page cache's copy.
func (Tools) Look(device string) (Contents, error) {
	file, err := os.Open(device)
	if err != nil {
		return Contents{}, fmt.Errorf("open device: %w", err)
	}
	defer file.Close()
	if err := unix.IoctlSetInt(int(file.Fd()), unix.BLKFLSBUF, 0); err != nil {
		return Contents{}, fmt.Errorf("drop cached blocks of %s: %w", device, err)
	}
	size, err := Size(file)
	if err != nil {
		return Contents{}, err
	}
	return inspect(file, size)
}

// Size returns the size of an open block device.
func Size(device *os.File) (int64, error) {
	const whence = 2
	size, err := device.Seek(0, whence)
	if err != nil {
		return 0, fmt.Errorf("find size of %s: %w", device.Name(), err)
	}
	return size, nil
}
