package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/disk"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/host"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/image"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/network"
	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

// existing opens a cluster that must be there, with its programs.
func (t *Tool) existing(ctx context.Context, name string) (*run, error) {
	cluster, ok, err := t.Store.Open(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("find cluster %q: there is none of that name: run `localkube up --name %s` first", name, name)
	}
	r := &run{Tool: t, cluster: cluster, programs: map[string]recipe.Built{}}
	if r.cgroups, err = host.FindCgroups(); err != nil {
		return nil, err
	}
	_, err = r.buildPrograms(ctx)
	return r, err
}

// Load imports OCI layouts, given as directories or tar files, into every
// node. Images that a node has already are skipped.
func (t *Tool) Load(ctx context.Context, name string, paths []string) error {
	r, err := t.existing(ctx, name)
	if err != nil {
		return err
	}
	t.Display.Total = len(paths)
	for _, path := range paths {
		err := t.Display.Step(ctx, "load "+path, func(ctx context.Context) (string, error) {
			archive, err := image.Open(path)
			if err != nil {
				return "", err
			}
			return r.load(ctx, archive)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) load(ctx context.Context, archive image.Archive) (string, error) {
	imported := make(chan bool, r.cluster.Nodes)
	err := r.onNodes(func(node image.Node) error {
		fresh, err := node.Load(ctx, archive)
		imported <- fresh
		return err
	})
	close(imported)
	count := 0
	for fresh := range imported {
		if fresh {
			count++
		}
	}
	names := make([]string, 0, len(archive.Images()))
	for _, image := range archive.Images() {
		names = append(names, image.Name)
	}
	if count == 0 {
		return "already there: " + strings.Join(names, ", "), err
	}
	return fmt.Sprintf("%s into %d nodes", strings.Join(names, ", "), count), err
}

// AddDisk gives a running node one more disk and returns its device, as
// hot-plugging would.
func (t *Tool) AddDisk(ctx context.Context, name, node, content string) (string, error) {
	r, number, process, err := t.onNode(ctx, name, node)
	if err != nil {
		return "", err
	}
	next := 1
	for slices.Contains(r.disks(number), next) || host.Exists(r.removedMark(number, next)) {
		next++
	}
	if next > layout.MaxDisks {
		return "", fmt.Errorf("add disk to %s: it has had %d disks, which is the most", node, layout.MaxDisks)
	}
	loop := r.cluster.DiskLoop(number, next)
	if err := r.fill(ctx, number, next, content); err != nil {
		return "", err
	}
	if err := disk.Add(loop); err != nil {
		return "", err
	}
	if err := machine.MakeLoop(devices(process), loop); err != nil {
		return "", err
	}
	if err := r.attach(number, next); err != nil {
		return "", err
	}
	return "/dev/loop" + strconv.Itoa(loop), disk.Announce(loop, "add")
}

// RemoveDisk takes a disk away from a running node, as pulling it out would,
// and deletes its data.
func (t *Tool) RemoveDisk(ctx context.Context, name, node, device string) error {
	r, number, process, err := t.onNode(ctx, name, node)
	if err != nil {
		return err
	}
	for _, each := range r.disks(number) {
		loop := r.cluster.DiskLoop(number, each)
		if path := "/dev/loop" + strconv.Itoa(loop); device == path || device == strings.TrimPrefix(path, "/dev/") {
			return r.pull(process, number, each, loop)
		}
	}
	return fmt.Errorf("find disk %s of %s: it has %s", device, node, r.deviceNames(number))
}

// pull empties the file first, so that whoever holds the device open gets I/O
// errors, as from a disk that was pulled out.
func (r *run) pull(process machine.Process, node, number, loop int) error {
	file := r.cluster.DiskFile(node, number)
	failures := []error{
		os.WriteFile(r.removedMark(node, number), nil, 0o600),
		os.Truncate(file, 0),
		ignoreMissing(os.Remove(devices(process) + "/loop" + strconv.Itoa(loop))),
		disk.Detach(loop),
		disk.Announce(loop, "remove"),
		ignoreMissing(os.Remove(file)),
	}
	return errors.Join(failures...)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (r *run) deviceNames(node int) string {
	var names []string
	for _, number := range r.disks(node) {
		names = append(names, "/dev/loop"+strconv.Itoa(r.cluster.DiskLoop(node, number)))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// KillNode ends a node at once, as a power failure would. `up` starts it
// again, with its disks and its containers' images.
func (t *Tool) KillNode(ctx context.Context, name, node string) error {
	r, _, process, err := t.onNode(ctx, name, node)
	if err != nil {
		return err
	}
	return r.stop(ctx, process, node)
}

// Partition cuts a node off the network, or joins it again. Its pods live on.
func (t *Tool) Partition(ctx context.Context, name, node string, connected bool) error {
	r, _, _, err := t.onNode(ctx, name, node)
	if err != nil {
		return err
	}
	return network.SetLink(r.cluster.HostLink(node), connected)
}

// Exec runs a command inside a machine, on the terminal of this process.
func (t *Tool) Exec(ctx context.Context, name, node string, arguments []string) error {
	r, err := t.existing(ctx, name)
	if err != nil {
		return err
	}
	process, ok := machine.Find(r.cluster.MachineDir(node))
	if !ok {
		return fmt.Errorf("find machine %s: it does not run; there are %s", node, strings.Join(r.cluster.MachineNames(), ", "))
	}
	all := append([]string{"--all", "--target", strconv.Itoa(process.PID), "--"}, arguments...)
	command := exec.CommandContext(ctx, "nsenter", all...)
	command.Env = []string{"PATH=" + config.SearchPath, "HOME=/root", "TERM=" + os.Getenv("TERM")}
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}

// onNode opens a cluster and finds a running node of it.
func (t *Tool) onNode(ctx context.Context, name, node string) (*run, int, machine.Process, error) {
	r, err := t.existing(ctx, name)
	if err != nil {
		return nil, 0, machine.Process{}, err
	}
	number, err := r.cluster.NodeNumber(node)
	if err != nil {
		return nil, 0, machine.Process{}, err
	}
	process, ok := machine.Find(r.cluster.MachineDir(node))
	if !ok {
		return nil, 0, machine.Process{}, fmt.Errorf("find node %s: it does not run: run `localkube up --name %s`", node, name)
	}
	return r, number, process, nil
}
