package loop

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	control = "/dev/loop-control"
	major   = 7
	// maxTries bounds the race with others who take free devices.
	maxTries = 64
)

// ErrNotAttached is returned for a device that does not serve the file.
var ErrNotAttached = errors.New("loop device does not serve the file")

// Mode is how a file is attached.
type Mode int

const (
	// ReadWrite lets the device write to the file.
	ReadWrite Mode = iota
	// ReadOnly refuses writes.
	ReadOnly
)

// Device returns the path of a loop device.
func Device(index int) string { return "/dev/loop" + strconv.Itoa(index) }

// Attach binds the file to a free loop device with direct I/O, so that data is
// cached once and a flush reaches the file's server. The device carries the name, of
// at most 63 bytes, by which Serves and Detach know it again. It returns the index.
func Attach(file, name string, mode Mode) (int, error) {
	flags, info := os.O_RDWR, unix.LoopInfo64{Flags: unix.LO_FLAGS_DIRECT_IO}
	if mode == ReadOnly {
		flags, info.Flags = os.O_RDONLY, info.Flags|unix.LO_FLAGS_READ_ONLY
	}
	backing, err := os.OpenFile(file, flags, 0)
	if err != nil {
		return 0, fmt.Errorf("open backing file: %w", err)
	}
	defer backing.Close()
	copy(info.File_name[:len(info.File_name)-1], name)
	for range maxTries {
		index, err := free()
		if err != nil {
			return 0, err
		}
		err = bind(index, flags, backing, info)
		if errors.Is(err, unix.EBUSY) {
			continue
		}
		return index, err
	}
	return 0, fmt.Errorf("attach %s: no loop device stayed free in %d tries: %w", file, maxTries, unix.EBUSY)
}

func free() (int, error) {
	handle, err := os.OpenFile(control, os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("open loop control (is the loop module loaded?): %w", err)
	}
	defer handle.Close()
	index, err := unix.IoctlRetInt(int(handle.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return 0, fmt.Errorf("get free loop device: %w", err)
	}
	return index, nil
}

func bind(index, flags int, backing *os.File, info unix.LoopInfo64) error {
	if err := makeNode(index); err != nil {
		return err
	}
	device, err := os.OpenFile(Device(index), flags, 0)
	if err != nil {
		return fmt.Errorf("open loop device: %w", err)
	}
	defer device.Close()
	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Info: info}
	if err := unix.IoctlLoopConfigure(int(device.Fd()), &config); err != nil {
		return fmt.Errorf("configure %s: %w", Device(index), err)
	}
	return nil
}

// makeNode makes the device node when nobody else does: a node may have a /dev
// without udev or devtmpfs.
func makeNode(index int) error {
	err := unix.Mknod(Device(index), unix.S_IFBLK|0o600, int(unix.Mkdev(major, uint32(index))))
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make node %s: %w", Device(index), err)
	}
	return nil
}

// File identifies a backing file as the kernel does, also after its server died. It
// is not unique: servers of single files all give inode 1, and the kernel hands a
// device number out again once the server is gone.
type File struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Identify returns the identity of a file.
func Identify(path string) (File, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return File{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return File{Device: stat.Dev, Inode: stat.Ino}, nil
}

// Serves tells whether the device is attached to exactly this file under this name.
func Serves(index int, file File, name string) (bool, error) {
	return look(index, file, name, serves)
}

// question is whether a device serves a file under a name.
type question func(device *os.File, file File, name string) (bool, error)

func look(index int, file File, name string, ask question) (bool, error) {
	device, err := open(index)
	if err != nil {
		return false, err
	}
	defer device.Close()
	return ask(device, file, name)
}

func open(index int) (*os.File, error) {
	if err := makeNode(index); err != nil {
		return nil, err
	}
	device, err := os.Open(Device(index))
	if err != nil {
		return nil, fmt.Errorf("open loop device: %w", err)
	}
	return device, nil
}

func serves(device *os.File, file File, name string) (bool, error) {
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	if errors.Is(err, unix.ENXIO) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask %s: %w", device.Name(), err)
	}
	carried := unix.ByteSliceToString(info.File_name[:])
	return carried == name && info.Device == file.Device && info.Inode == file.Inode, nil
}

// holds is serves, and true for a device whose file has lost its server: the kernel
// tells nothing of that any more, and nobody can lose data by it.
func holds(device *os.File, file File, name string) (bool, error) {
	found, err := serves(device, file, name)
	if errors.Is(err, unix.ENOTCONN) {
		return true, nil
	}
	return found, err
}

// Detach frees the device that serves the file under the name, or that serves a file
// without a server, and waits until it is free. The kernel delays that while somebody
// has the device open or mounted. A device that serves something else, or nothing, is
// left alone: ErrNotAttached.
func Detach(index int, file File, name string, patience time.Duration) error {
	if err := release(index, file, name); err != nil {
		return err
	}
	return await(index, file, name, patience)
}

// Refresh makes the device that serves the file under the name as large as the file has
// become. Any other device is left alone: ErrNotAttached.
func Refresh(index int, file File, name string) error {
	if err := order(unix.LOOP_SET_CAPACITY, index, file, name, serves); err != nil {
		return fmt.Errorf("refresh size of %s: %w", Device(index), err)
	}
	return nil
}

func release(index int, file File, name string) error {
	err := order(unix.LOOP_CLR_FD, index, file, name, holds)
	if err != nil && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("detach %s: %w", Device(index), err)
	}
	return nil
}

// order looks and orders through one handle: nobody can give the device another
// file between the two, because the kernel clears no device that is open twice.
func order(what uint, index int, file File, name string, ask question) error {
	device, err := open(index)
	if err != nil {
		return err
	}
	defer device.Close()
	found, err := ask(device, file, name)
	if err != nil {
		return err
	}
	if !found {
		return ErrNotAttached
	}
	_, err = unix.IoctlRetInt(int(device.Fd()), what)
	return err
}

func await(index int, file File, name string, patience time.Duration) error {
	const pace = 20 * time.Millisecond
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for waited := time.Duration(0); ; waited += pace {
		found, err := look(index, file, name, holds)
		if err != nil || !found {
			return err
		}
		if waited >= patience {
			return fmt.Errorf("detach %s: still in use after %s: %w", Device(index), patience, unix.EBUSY)
		}
		<-tick.C
	}
}
