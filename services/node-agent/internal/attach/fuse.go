package attach

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/loop"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/reach"
)

const (
	storageDaemon = "qemu-storage-daemon"
	exportFile    = "image"
	monitorSocket = "qmp.sock"
	pidFile       = "pid"
	node          = "volume"
	// patience is how long a device or a process may take to go.
	patience = 20 * time.Second
	// pace is how often a device is looked at meanwhile.
	pace = 20 * time.Millisecond
)

// Export attaches images in user space: a qemu-storage-daemon exports the image as
// one file by FUSE, and a loop device makes a block device of it. The daemon
// outlives node-agent.
type Export struct {
	// Secrets is a directory in memory for files with keys.
	Secrets string
	// CgroupRoot and Cgroup say where the daemon lives; see outlive.Program.
	CgroupRoot, Cgroup string
}

var _ Backend = Export{}

// Name returns FUSE.
func (Export) Name() string { return FUSE }

// Available looks for the daemon, FUSE and loop devices.
func (Export) Available() error {
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		if _, err := os.Stat(device); err != nil {
			return fmt.Errorf("look for device: %w", err)
		}
	}
	if _, err := exec.LookPath(storageDaemon); err != nil {
		return fmt.Errorf("look for program: %w", err)
	}
	return nil
}

// Attach starts the daemon and binds its file to a loop device.
func (e Export) Attach(ctx context.Context, dir string, volume Volume, record *Attachment, save func() error) error {
	file := filepath.Join(dir, exportFile)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	if err := e.start(ctx, dir, volume); err != nil {
		return err
	}
	process, err := outlive.FindProcess(filepath.Join(dir, pidFile))
	if err != nil {
		return fmt.Errorf("find storage daemon: %w", err)
	}
	record.Process = process
	if record.File, err = loop.Identify(file); err != nil {
		return fmt.Errorf("find exported file: %w", err)
	}
	if err := save(); err != nil {
		return err
	}
	mode := loop.ReadWrite
	if volume.ReadOnly {
		mode = loop.ReadOnly
	}
	if record.Loop, err = loop.Attach(file, loopName(dir), mode); err != nil {
		return err
	}
	record.Device = loop.Device(record.Loop)
	return nil
}

func (e Export) start(ctx context.Context, dir string, volume Volume) error {
	conf, err := reach.Conf(e.Secrets, volume.Connection, volume.Key)
	if err != nil {
		return err
	}
	// librados has read the file when the export stands.
	defer os.Remove(conf)
	return outlive.Start(ctx, outlive.Program{
		Args:       daemonArgs(dir, conf, volume),
		Visible:    dir,
		CgroupRoot: e.CgroupRoot,
		Cgroup:     e.Cgroup,
	})
}

// daemonArgs is the command line of the storage daemon. It holds no secrets.
func daemonArgs(dir, conf string, volume Volume) []string {
	blockdev := []string{
		"driver=rbd", "node-name=" + node, "pool=" + volume.Pool, "image=" + volume.Image,
		"user=" + strings.TrimPrefix(volume.Key.Entity, "client."), "conf=" + conf, "discard=unmap",
	}
	if volume.Namespace != "" {
		blockdev = append(blockdev, "namespace="+volume.Namespace)
	}
	export := []string{"type=fuse", "id=export", "node-name=" + node, "mountpoint=" + filepath.Join(dir, exportFile)}
	if volume.ReadOnly {
		blockdev, export = append(blockdev, "read-only=on"), append(export, "writable=off")
	} else {
		export = append(export, "writable=on")
	}
	return []string{
		storageDaemon,
		"--daemonize",
		"--pidfile", filepath.Join(dir, pidFile),
		"--chardev", options("socket", "id=qmp", "path="+filepath.Join(dir, monitorSocket), "server=on", "wait=off"),
		"--monitor", "chardev=qmp",
		"--blockdev", options(blockdev...),
		"--export", options(export...),
	}
}

// options joins settings; a comma within one is doubled.
func options(settings ...string) string {
	escaped := make([]string, len(settings))
	for i, setting := range settings {
		escaped[i] = strings.ReplaceAll(setting, ",", ",,")
	}
	return strings.Join(escaped, ",")
}

// loopName is what the loop device of a volume carries: its file does not tell one
// volume from another.
func loopName(dir string) string { return filepath.Base(dir) }

// Healthy tells whether daemon and loop device still belong together.
func (Export) Healthy(dir string, record Attachment) bool {
	if !record.Process.Alive() {
		return false
	}
	seen, err := loop.Identify(filepath.Join(dir, exportFile))
	if err != nil || seen != record.File {
		return false
	}
	serves, err := loop.Serves(record.Loop, record.File, loopName(dir))
	return err == nil && serves
}

// Grow tells the daemon, and then the loop device. The daemon knows one way to learn of a
// new size, and that is to set it: a size that is not the image's would cut it off.
func (Export) Grow(ctx context.Context, dir string, record Attachment, size uint64) error {
	file := filepath.Join(dir, exportFile)
	shown, err := sizeOf(file)
	if err != nil {
		return err
	}
	if shown < size {
		order := map[string]any{"node-name": node, "size": size}
		if err := command(ctx, filepath.Join(dir, monitorSocket), "block_resize", order); err != nil {
			return err
		}
		if _, err := sizeOf(file); err != nil {
			return err
		}
	}
	return loop.Refresh(record.Loop, record.File, loopName(dir))
}

// sizeOf asks whoever serves a file, which the kernel remembers: a loop device is as large
// as what the kernel knows of its file.
func sizeOf(file string) (uint64, error) {
	var found unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, file, unix.AT_STATX_FORCE_SYNC, unix.STATX_SIZE, &found); err != nil {
		return 0, fmt.Errorf("find size of %s: %w", file, err)
	}
	return found.Size, nil
}

// Detach frees the loop device, lets the daemon write what it still has, and
// waits for its end.
func (Export) Detach(ctx context.Context, dir string, record Attachment) error {
	if record.Device != "" {
		err := loop.Detach(record.Loop, record.File, loopName(dir), patience)
		if err != nil && !errors.Is(err, loop.ErrNotAttached) {
			return err
		}
	}
	process := record.Process
	if process.PID == 0 {
		// The record was written before the daemon was known.
		process, _ = outlive.FindProcess(filepath.Join(dir, pidFile))
	}
	if process.Alive() {
		if err := end(ctx, dir, process); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, exportFile)
	if err := unix.Unmount(file, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount export: %w", err)
	}
	return nil
}

// end makes the daemon write what it has cached, and go. Once all is written
// it may be killed; before that never, however long Ceph does not answer.
func end(ctx context.Context, dir string, process outlive.Process) error {
	if err := flush(ctx, filepath.Join(dir, exportFile)); err != nil {
		return fmt.Errorf("write cached data to Ceph: %w", err)
	}
	if err := quit(ctx, filepath.Join(dir, monitorSocket), process); err == nil {
		return nil
	}
	if err := process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return process.Await(ctx, patience)
}

// flush waits until the daemon has written its cache. The wait itself cannot be
// interrupted, so it goes on in the background when time is up.
func flush(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			done <- nil // it is attached read-only
			return
		}
		if err != nil {
			done <- err
			return
		}
		done <- errors.Join(file.Sync(), file.Close())
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("flush %s: %w", path, ctx.Err())
	}
}

// quit asks over the monitor, and by signal if nobody answers there.
func quit(ctx context.Context, socket string, process outlive.Process) error {
	asked := command(ctx, socket, "quit", nil)
	if asked == nil {
		asked = process.Await(ctx, patience)
	}
	if asked == nil {
		return nil
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(asked, err)
	}
	if err := process.Await(ctx, patience); err != nil {
		return errors.Join(asked, err)
	}
	return nil
}
