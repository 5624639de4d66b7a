package fsmount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/module"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/reach"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// Kernel mounts by the kernel's client, without the mount.ceph program.
type Kernel struct {
	// Filesystems lists what the kernel can mount: /proc/filesystems.
	Filesystems string
	// Modules allows loading the module.
	Modules module.Policy
	// Call is the mount system call.
	Call func(source, target, kind string, flags uintptr, data string) error
}

var (
	_ Mounter = Kernel{}

	errNoClient = errors.New("the kernel has no ceph client")
	errNoPorts  = errors.New("no addresses of monitors are published")
)

// Name returns csi.MounterKernel.
func (Kernel) Name() string { return csi.MounterKernel }

// Available looks for the kernel's client and loads it if allowed.
func (k Kernel) Available() error { return k.Modules.Ensure(k.look, "ceph") }

func (k Kernel) look() error {
	text, err := os.ReadFile(k.Filesystems)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[len(fields)-1] == "ceph" {
			return nil
		}
	}
	return errNoClient
}

// Mount calls the kernel. The call itself cannot be interrupted; the kernel
// gives up after its mount timeout, which is shorter than the kubelet's.
func (k Kernel) Mount(ctx context.Context, _ string, access Access, record *Mount) error {
	source, flags, data, err := kernelCall(access, record.Volume)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- k.Call(source, record.Where, "ceph", flags, data) }()
	select {
	case err := <-done:
		return explained(err)
	case <-ctx.Done():
		return fmt.Errorf("mount: %w", context.Cause(ctx))
	}
}

// explained says what the kernel means that found no server: it has a map of the file
// system without an active metadata server that monitors hear from, or got none in time.
func explained(err error) error {
	switch {
	case errors.Is(err, unix.EHOSTUNREACH):
		return fmt.Errorf("%w: no metadata server of the file system is active and heard by the monitors: %w", ceph.ErrUnreachable, err)
	case errors.Is(err, unix.ETIMEDOUT):
		return fmt.Errorf("%w: neither monitors nor metadata servers answered in time: %w", ceph.ErrUnreachable, err)
	}
	return err
}

// kernelCall returns the arguments of the mount call. Data holds the key, and
// so must never be logged.
func kernelCall(access Access, volume Volume) (source string, flags uintptr, data string, err error) {
	monitors, v2 := reach.Monitors(access.Connection)
	if len(monitors) == 0 {
		return "", 0, "", errNoPorts
	}
	options := []string{
		"name=" + strings.TrimPrefix(access.Key.Entity, "client."), "secret=" + access.Key.Secret,
		"mds_namespace=" + volume.FSName, "mount_timeout=30",
	}
	if v2 {
		options = append(options, "ms_mode=prefer-crc")
	}
	for _, option := range slices.Concat(split(volume.KernelOptions), volume.Flags) {
		if meaning, known := mountFlags()[option]; known {
			flags = flags&^meaning.clear | meaning.set
			continue
		}
		if key, _, _ := strings.Cut(option, "="); v2 && key == "ms_mode" {
			options = slices.DeleteFunc(options, func(o string) bool { return strings.HasPrefix(o, "ms_mode=") })
		}
		options = append(options, option)
	}
	if volume.ReadOnly {
		flags |= unix.MS_RDONLY
	}
	return strings.Join(monitors, ",") + ":" + volume.Path, flags, strings.Join(options, ","), nil
}

type meaning struct{ set, clear uintptr }

// mountFlags are the options that are bits of the mount call, and those that
// mean nothing to it.
func mountFlags() map[string]meaning {
	return map[string]meaning{
		"ro": {set: unix.MS_RDONLY}, "rw": {clear: unix.MS_RDONLY},
		"noatime": {set: unix.MS_NOATIME}, "atime": {clear: unix.MS_NOATIME},
		"nodiratime": {set: unix.MS_NODIRATIME}, "diratime": {clear: unix.MS_NODIRATIME},
		"relatime": {set: unix.MS_RELATIME}, "norelatime": {clear: unix.MS_RELATIME},
		"strictatime": {set: unix.MS_STRICTATIME}, "lazytime": {set: unix.MS_LAZYTIME},
		"nodev": {set: unix.MS_NODEV}, "dev": {clear: unix.MS_NODEV},
		"noexec": {set: unix.MS_NOEXEC}, "exec": {clear: unix.MS_NOEXEC},
		"nosuid": {set: unix.MS_NOSUID}, "suid": {clear: unix.MS_NOSUID},
		"sync": {set: unix.MS_SYNCHRONOUS}, "async": {clear: unix.MS_SYNCHRONOUS},
		"dirsync":  {set: unix.MS_DIRSYNC},
		"defaults": {}, "_netdev": {}, "auto": {}, "noauto": {}, "nofail": {},
	}
}

// Serves is true: the kernel does not go.
func (Kernel) Serves(Mount) bool { return true }

// End has nothing to wait for: unmounting has written all.
func (Kernel) End(context.Context, string, Mount) error { return nil }
