package hotplug

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// kernelGroup is the multicast group of events from the kernel itself.
const kernelGroup = 1

// receiveBuffer holds the events of a few thousand devices that appear at once.
const receiveBuffer = 4 << 20

// openEvents opens the kernel's event socket.
func openEvents() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("open uevent socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		return nil, errors.Join(fmt.Errorf("bind uevent socket: %w", err), unix.Close(fd))
	}
	// Without the privilege the default size stays; lost events are noticed anyway.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	return os.NewFile(uintptr(fd), "uevents"), nil
}

// readEvents passes on every event until the socket is closed.
func readEvents(socket *os.File, changed func(Change)) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := socket.Read(buffer)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			changed(Change{Lost: true})
		case err != nil:
			return fmt.Errorf("read uevent: %w", err)
		default:
			if name, ok := blockDevice(buffer[:n]); ok {
				changed(Change{Device: name})
			}
		}
	}
}

// blockDevice returns the whole block device that an event is about; an event
// of a partition is about its disk.
func blockDevice(event []byte) (name string, ok bool) {
	var devicePath, subsystem, kind string
	for _, field := range bytes.Split(event, []byte{0}) {
		key, value, _ := strings.Cut(string(field), "=")
		switch key {
		case "DEVPATH":
			devicePath = value
		case "SUBSYSTEM":
			subsystem = value
		case "DEVTYPE":
			kind = value
		}
	}
	if subsystem != "block" || devicePath == "" {
		return "", false
	}
	if kind == "partition" {
		devicePath = path.Dir(devicePath)
	}
	name = path.Base(devicePath)
	return name, name != "." && name != "/"
}
