package fsmount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/reach"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

const (
	program = "ceph-fuse"
	pidFile = "pid"
	// patience is how long ceph-fuse may take to write what it has cached.
	patience = 60 * time.Second
)

// FUSE mounts by ceph-fuse, which outlives node-agent.
type FUSE struct {
	// Secrets is a directory in memory for files with keys.
	Secrets string
	// CgroupRoot and Cgroup say where ceph-fuse lives; see outlive.Program.
	CgroupRoot, Cgroup string
}

var _ Mounter = FUSE{}

// Name returns csi.MounterFUSE.
func (FUSE) Name() string { return csi.MounterFUSE }

// Available looks for FUSE and the program.
func (FUSE) Available() error {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return fmt.Errorf("look for device: %w", err)
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("look for program: %w", err)
	}
	return nil
}

// Mount starts ceph-fuse, which goes to the background once it serves.
func (f FUSE) Mount(ctx context.Context, dir string, access Access, record *Mount) error {
	file := filepath.Join(dir, pidFile)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove pid of a predecessor: %w", err)
	}
	conf, err := reach.Conf(f.Secrets, access.Connection, access.Key,
		"log_file =", "pid_file = "+file, "client_fs = "+record.FSName, "client_mountpoint = "+record.Path)
	if err != nil {
		return err
	}
	// ceph-fuse has read the file when it serves.
	defer os.Remove(conf)
	err = outlive.Start(ctx, outlive.Program{
		Args: fuseArgs(conf, access, record.Volume), Visible: record.Where, CgroupRoot: f.CgroupRoot, Cgroup: f.Cgroup,
	})
	if err != nil {
		return err
	}
	record.Process, err = outlive.FindProcess(file)
	if err != nil {
		return fmt.Errorf("find %s: %w", program, err)
	}
	return nil
}

// fuseArgs is the command line of ceph-fuse. It holds no secrets.
func fuseArgs(conf string, access Access, volume Volume) []string {
	args := []string{program, volume.Where, "-c", conf, "--id", strings.TrimPrefix(access.Key.Entity, "client.")}
	var options []string
	if volume.ReadOnly {
		options = append(options, "ro")
	}
	for _, option := range slices.Concat(split(volume.FUSEOptions), volume.Flags) {
		if option != "_netdev" && option != "defaults" && !slices.Contains(options, option) {
			options = append(options, option)
		}
	}
	if len(options) > 0 {
		args = append(args, "-o", strings.Join(options, ","))
	}
	return args
}

// Serves tells whether the process that was started lives.
func (FUSE) Serves(record Mount) bool { return record.Process.Alive() }

// End waits until ceph-fuse has written all and ended by itself, as it does
// when it is unmounted. It is never killed: what it has cached would be lost.
func (FUSE) End(ctx context.Context, dir string, record Mount) error {
	process := record.Process
	if process.PID == 0 {
		// The record was written before the process was known.
		process, _ = outlive.FindProcess(filepath.Join(dir, pidFile))
	}
	return process.Await(ctx, patience)
}
