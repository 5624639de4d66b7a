package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/disk"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
)

// disks returns the numbers of a node's disks: those that it begins with and
// those that were added, less those that were removed.
func (r *run) disks(node int) []int {
	var numbers []int
	for number := 1; number <= r.cluster.Disks; number++ {
		if _, err := os.Stat(r.removedMark(node, number)); err != nil {
			numbers = append(numbers, number)
		}
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(r.cluster.DiskFile(node, 1)), layout.Node(node)+"-disk*.img"))
	if err != nil {
		return numbers
	}
	for _, file := range files {
		text := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), layout.Node(node)+"-disk"), ".img")
		if number, err := strconv.Atoi(text); err == nil && number > r.cluster.Disks {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// removedMark is the file that remembers a removed disk, so that a later `up`
// does not bring it back.
func (r *run) removedMark(node, number int) string {
	return r.cluster.DiskFile(node, number) + ".removed"
}

// loops returns the loop devices of a node: its disks, then the free ones for
// volumes.
func (r *run) loops(node int) []int {
	var loops []int
	for _, number := range r.disks(node) {
		loops = append(loops, r.cluster.DiskLoop(node, number))
	}
	return append(loops, r.cluster.AttachLoops(node)...)
}

// attach makes the file of a disk when it is missing and puts it behind its
// loop device.
func (r *run) attach(node, number int) error {
	file := r.cluster.DiskFile(node, number)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("create disk: %w", err)
	}
	if _, err := os.Stat(file); err != nil {
		if err := createSparse(file, r.cluster.DiskBytes); err != nil {
			return err
		}
	}
	return disk.Attach(r.cluster.DiskLoop(node, number), file)
}

// fill makes the disk a copy of a file, of its size. An empty name leaves the
// disk to be made empty.
func (r *run) fill(ctx context.Context, node, number int, content string) error {
	if content == "" {
		return nil
	}
	file := r.cluster.DiskFile(node, number)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("create disk: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "cp", "--sparse=always", "--", content, file).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s to disk: %w: %s", content, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func createSparse(file string, bytes int64) error {
	created, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create disk: %w", err)
	}
	defer created.Close()
	if err := created.Truncate(bytes); err != nil {
		return fmt.Errorf("create disk %s: %w", file, err)
	}
	return nil
}

// presentDisks makes sure that every running node has the device nodes of its
// disks.
func (r *run) presentDisks() error {
	for node := 1; node <= r.cluster.Nodes; node++ {
		process, ok := machine.Find(r.cluster.MachineDir(layout.Node(node)))
		if !ok {
			continue
		}
		for _, loop := range r.loops(node) {
			if err := machine.MakeLoop(devices(process), loop); err != nil {
				return err
			}
		}
	}
	return nil
}

// disksPresent is true when every disk is behind its loop device.
func (r *run) disksPresent() bool {
	for node := 1; node <= r.cluster.Nodes; node++ {
		for _, number := range r.disks(node) {
			if disk.Backing(r.cluster.DiskLoop(node, number)) != r.cluster.DiskFile(node, number) {
				return false
			}
		}
	}
	return true
}

// devices is a running machine's /dev as the host reaches it.
func devices(process machine.Process) string {
	return filepath.Join("/proc", strconv.Itoa(process.PID), "root/dev")
}
