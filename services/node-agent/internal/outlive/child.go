package outlive

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// maxOrder bounds what the child reads from its parent.
const maxOrder = 64 << 10

// Child is the whole life of the child: it reads a Program from stdin and
// becomes it. It returns only on failure, with an exit code.
func Child(stdin io.Reader, stderr io.Writer) int {
	fmt.Fprintf(stderr, "outlive: %v\n", become(stdin))
	return 1
}

// become returns only on failure.
func become(stdin io.Reader) error {
	var program Program
	if err := json.NewDecoder(io.LimitReader(stdin, maxOrder)).Decode(&program); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if len(program.Args) == 0 {
		return fmt.Errorf("read order: %w", os.ErrInvalid)
	}
	path, err := exec.LookPath(program.Args[0])
	if err != nil {
		return fmt.Errorf("find program: %w", err)
	}
	// Namespaces belong to the thread; the thread that calls exec becomes the process.
	runtime.LockOSThread()
	if err := leaveCgroups(program.CgroupRoot, program.Cgroup); err != nil {
		return fmt.Errorf("leave the container's cgroups: %w", err)
	}
	if err := leaveMounts(program.Visible); err != nil {
		return fmt.Errorf("leave the container's mounts: %w", err)
	}
	serveIO()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	if err := unix.Dup2(int(null.Fd()), 0); err != nil {
		return fmt.Errorf("detach stdin: %w", err)
	}
	return fmt.Errorf("exec %s: %w", path, unix.Exec(path, program.Args, os.Environ()))
}

// leaveMounts takes a mount namespace in which the end of the container's root
// goes unnoticed. Mounts below visible stay shared with the host, in both
// directions: what the program mounts shows up there, and what others unmount
// is not held here. On a plain host, where visible is on the root mount, there
// is nothing to leave.
func leaveMounts(visible string) error {
	if err := os.MkdirAll(visible, 0o750); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	root, err := mountID("/")
	if err != nil {
		return err
	}
	shared, err := mountID(visible)
	if err != nil {
		return err
	}
	if root == shared {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make root private: %w", err)
	}
	return nil
}

func mountID(path string) (uint64, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &stat); err != nil {
		return 0, fmt.Errorf("stat %s: %w", filepath.Clean(path), err)
	}
	return stat.Mnt_id, nil
}

// serveIO tells the kernel that this process serves a block device: it must
// not wait for the device to write back pages, and it is the last to be killed for
// memory. Both are best effort.
func serveIO() {
	const protected = "-998"
	_ = unix.Prctl(unix.PR_SET_IO_FLUSHER, 1, 0, 0, 0)
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(protected), 0)
}
