package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/shared/disk"
)

// Device is an open block device.
type Device interface {
	io.ReaderAt
	io.Closer
}

// Nodes finds and opens the device nodes of this machine.
type Nodes interface {
	// Present reports whether the device has a node here. Without one the disk
	// belongs to another node that shares the kernel, or is not ours to use.
	Present(facts disk.Facts) bool
	// Open opens the device for reading. It may block on broken hardware.
	Open(facts disk.Facts) (Device, error)
	// Links returns the names below /dev/disk that lead to each device, by
	// kernel name, sorted.
	Links() map[string][]string
}

// DevDir is a directory with device nodes, usually /dev.
type DevDir string

// Path returns where the node of a device is expected.
func (d DevDir) Path(facts disk.Facts) string {
	return filepath.Join(string(d), strings.ReplaceAll(facts.KernelName, "!", "/"))
}

// Present implements Nodes: the node exists, is a block device and carries the
// numbers that sysfs names.
func (d DevDir) Present(facts disk.Facts) bool {
	var stat unix.Stat_t
	if err := unix.Stat(d.Path(facts), &stat); err != nil {
		return false
	}
	return sameDevice(&stat, facts)
}

// Open implements Nodes. It reads past the page cache's old content, and
// verifies after the open that the node still means the same device.
func (d DevDir) Open(facts disk.Facts) (Device, error) {
	file, err := d.open(facts, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	// Drops cached pages, so that what others wrote past this cache is seen.
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	return file, nil
}

// Links implements Nodes. A node without udev has none.
func (d DevDir) Links() map[string][]string {
	paths, err := filepath.Glob(filepath.Join(string(d), "disk", "by-*", "*"))
	if err != nil {
		return nil
	}
	links := map[string][]string{}
	for _, path := range paths {
		if name, ok := d.Target(path); ok {
			inside := strings.TrimPrefix(strings.TrimPrefix(path, string(d)), "/")
			links[name] = append(links[name], "/dev/"+inside)
		}
	}
	return links
}

// Target returns the kernel name that a link below the directory leads to.
func (d DevDir) Target(link string) (name string, ok bool) {
	target, err := os.Readlink(link)
	if err != nil {
		return "", false
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	for _, root := range []string{string(d), "/dev"} {
		if inside, ok := strings.CutPrefix(filepath.Clean(target), strings.TrimSuffix(root, "/")+"/"); ok {
			return strings.ReplaceAll(inside, "/", "!"), true
		}
	}
	return "", false
}

func (d DevDir) open(facts disk.Facts, flags int) (*os.File, error) {
	file, err := os.OpenFile(d.Path(facts), flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if !sameDevice(&stat, facts) {
		return nil, errors.Join(fmt.Errorf("%s is another device than sysfs names: %w", file.Name(), fs.ErrInvalid), file.Close())
	}
	return file, nil
}

func sameDevice(stat *unix.Stat_t, facts disk.Facts) bool {
	return stat.Mode&unix.S_IFMT == unix.S_IFBLK && unix.Major(stat.Rdev) == facts.Major && unix.Minor(stat.Rdev) == facts.Minor
}

// ErrRefused says that a device may not be written to.
var ErrRefused = errors.New("device refused")

// Claim opens a disk exclusively for writing, then probes it again under that
// open: nobody can mount it, add it to a volume or open it exclusively between
// the check and the first write. It returns an error that wraps ErrRefused when
// the disk is in use or no longer Available; nothing was written then.
func (s Scanner) Claim(ctx context.Context, name string, dev DevDir) (*os.File, Disk, error) {
	usage, err := s.Host.Usage()
	if err != nil {
		return nil, Disk{}, err
	}
	facts, err := s.Host.Facts(name, usage)
	if err != nil {
		return nil, Disk{}, err
	}
	if verdict, final := disk.Screen(facts, s.Policy); final {
		return nil, Disk{Facts: facts, Verdict: verdict}, fmt.Errorf("claim %s: %w: %s", name, ErrRefused, verdict.Message)
	}
	file, err := dev.open(facts, os.O_RDWR|syscall.O_EXCL)
	if errors.Is(err, syscall.EBUSY) {
		return nil, Disk{Facts: facts}, fmt.Errorf("claim %s: %w: in use by another process or mount", name, ErrRefused)
	}
	if err != nil {
		return nil, Disk{Facts: facts}, fmt.Errorf("claim %s: %w", name, err)
	}
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	found := s.inspect(ctx, facts, opened{file})
	if found.Verdict.State != disk.Available {
		return nil, found, errors.Join(fmt.Errorf("claim %s: %w: %s", name, ErrRefused, found.Verdict.Message), file.Close())
	}
	return file, found, nil
}

// opened lends an already open device to a probe, which must not close it.
type opened struct{ file *os.File }

func (opened) Present(disk.Facts) bool           { return true }
func (o opened) Open(disk.Facts) (Device, error) { return lent(o), nil }
func (opened) Links() map[string][]string        { return nil }

type lent struct{ file *os.File }

func (l lent) ReadAt(out []byte, offset int64) (int, error) { return l.file.ReadAt(out, offset) }

// Close leaves the file open for its owner.
func (lent) Close() error { return nil }
