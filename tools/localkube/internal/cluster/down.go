package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/disk"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/host"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/network"
)

// Down removes a cluster and everything that belongs to it. Removing a cluster
// that does not exist, or only partly, is no failure.
func (t *Tool) Down(ctx context.Context, name, kubeconfig string) error {
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := t.find(name, kubeconfig)
	if err != nil {
		return err
	}
	stages := r.downStages()
	t.Display.Total = len(stages)
	var failures []error
	for _, stage := range stages {
		failures = append(failures, t.Display.Step(ctx, stage.title, stage.do))
	}
	return errors.Join(failures...)
}

// DownPlan returns what Down would do, one line each.
func (t *Tool) DownPlan(name, kubeconfig string) ([]string, error) {
	r, err := t.find(name, kubeconfig)
	if err != nil {
		return nil, err
	}
	lines := []string{fmt.Sprintf("remove cluster %s in %s", name, r.cluster.State)}
	for i, stage := range r.downStages() {
		lines = append(lines, fmt.Sprintf("%2d. %s", i+1, stage.title))
	}
	return lines, nil
}

// find returns the cluster of that name, or what one of that name would have
// if its description is lost.
func (t *Tool) find(name, kubeconfig string) (*run, error) {
	cgroups, err := host.FindCgroups()
	if err != nil {
		return nil, err
	}
	cluster, ok, err := t.Store.Open(name)
	if err != nil || !ok {
		all, err := t.Store.List()
		if err != nil {
			return nil, err
		}
		owners, err := network.Owners()
		if err != nil {
			return nil, err
		}
		slot := FreeSlot(all, owners, t.Store.state(name))
		cluster = layout.Cluster{
			Name: name, Slot: slot, State: t.Store.state(name), Network: layout.DefaultNetwork(slot),
			Nodes: layout.MaxNodes, Kubeconfig: kubeconfig,
		}
		if slot >= layout.MaxSlots || cluster.Validate() != nil {
			return nil, fmt.Errorf("find cluster %q: there is none of that name", name)
		}
	}
	return &run{Tool: t, cluster: cluster, cgroups: cgroups}, nil
}

func (r *run) downStages() []stage {
	return []stage{
		{"stop machines", r.stopMachines},
		{"remove the network", r.removeNetwork},
		{"release volumes and disks", r.releaseDisks},
		{"remove mounts and cgroups", r.removeMounts},
		{"remove files", r.removeFiles},
	}
}

// stopMachines ends every process of the cluster.
func (r *run) stopMachines(ctx context.Context) (string, error) {
	var processes []machine.Process
	var failures []error
	for _, name := range append([]string{layout.ControlPlane}, allNodes()...) {
		if process, ok := machine.Find(r.cluster.MachineDir(name)); ok {
			processes = append(processes, process)
			failures = append(failures, process.Kill())
		}
	}
	for _, process := range processes {
		failures = append(failures, await(ctx, "end of a machine", 60*time.Second, func(context.Context) error {
			if process.Alive() {
				return fmt.Errorf("process %d still runs", process.PID)
			}
			return nil
		}))
	}
	failures = append(failures, r.clearCgroup(ctx, r.cluster.Cgroup()))
	return fmt.Sprintf("%d ran", len(processes)), errors.Join(failures...)
}

func allNodes() []string {
	names := make([]string, 0, layout.MaxNodes)
	for number := 1; number <= layout.MaxNodes; number++ {
		names = append(names, layout.Node(number))
	}
	return names
}

func (r *run) removeNetwork(context.Context) (string, error) {
	return "", network.Remove(r.cluster)
}

// releaseDisks detaches every loop device of the cluster and removes those of
// its own range.
func (r *run) releaseDisks(ctx context.Context) (string, error) {
	failures := []error{releaseKernelRBD(r.cluster)}
	released := 0
	err := await(ctx, "release of loop devices", 30*time.Second, func(context.Context) error {
		numbers, err := disk.List()
		if err != nil {
			return err
		}
		numbers = slices.DeleteFunc(numbers, func(number int) bool { return !r.ownsLoop(number) })
		released = max(released, len(numbers))
		return r.releaseAll(numbers)
	})
	return fmt.Sprintf("%d loop devices", released), errors.Join(append(failures, err)...)
}

// releaseAll releases loop devices side by side: the kernel waits long for
// each.
func (r *run) releaseAll(numbers []int) error {
	failures := make([]error, len(numbers))
	var group sync.WaitGroup
	for i, number := range numbers {
		group.Go(func() { failures[i] = r.release(number) })
	}
	group.Wait()
	return errors.Join(failures...)
}

// ownsLoop is true for the cluster's own numbers and for any other device that
// shows a file of the cluster.
func (r *run) ownsLoop(number int) bool {
	backing := disk.Backing(number)
	return r.cluster.OwnsLoop(number) || strings.HasPrefix(backing, r.cluster.State+"/") || r.orphanedVolume(backing)
}

// orphanedVolume is true for a file that was a volume inside a node. While another
// cluster runs, it may be a volume of that one.
func (r *run) orphanedVolume(backing string) bool {
	return outOfSight(backing, host.Exists) && r.last()
}

// outOfSight is true for a file below the kubelet's directory that this host does
// not have, and for one on a mount that is gone: the kernel then shows its path as
// that of the root directory.
func outOfSight(backing string, exists func(string) bool) bool {
	return backing == "/" || strings.HasPrefix(backing, "/var/lib/kubelet/") && !exists(backing)
}

func (r *run) release(number int) error {
	if err := releaseHolders(number); err != nil {
		return err
	}
	if err := disk.Detach(number); err != nil {
		return err
	}
	if !r.cluster.OwnsLoop(number) {
		return nil
	}
	return disk.Remove(number)
}

// removeMounts takes away mounts below the cluster's directory in the host's
// own view, which only a crash of another program can have made.
func (r *run) removeMounts(ctx context.Context) (string, error) {
	targets, err := mountsBelow("/proc/self/mountinfo", r.cluster.State)
	if err != nil {
		return "", err
	}
	var failures []error
	for i := len(targets) - 1; i >= 0; i-- {
		if err := unix.Unmount(targets[i], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			failures = append(failures, fmt.Errorf("unmount %s: %w", targets[i], err))
		}
	}
	failures = append(failures, await(ctx, "removal of cgroups", 10*time.Second, func(context.Context) error {
		return r.cgroups.Remove(r.cluster.Cgroup())
	}))
	if r.last() {
		_ = r.cgroups.Remove(layout.VolumeCgroup) // only when nobody else's programs are in it
	}
	return "", errors.Join(failures...)
}

// last is true when no other cluster runs on this host. This one's bridge is
// gone by the time that it is asked.
func (r *run) last() bool {
	owners, err := network.Owners()
	return err == nil && len(owners) == 0
}

// removeFiles removes the cluster's directory, an empty store, and with the
// last cluster of the host the raised limits.
func (r *run) removeFiles(context.Context) (string, error) {
	failures := []error{os.RemoveAll(r.cluster.State)}
	if r.cluster.Kubeconfig != "" {
		if err := os.Remove(r.cluster.Kubeconfig); err != nil && !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, fmt.Errorf("remove kubeconfig: %w", err))
		}
		_ = os.Remove(filepath.Dir(r.cluster.Kubeconfig)) // only when nothing else is there
	}
	if r.last() {
		failures = append(failures, r.limits().Restore())
	}
	entries, err := os.ReadDir(r.Store.Root)
	if err == nil && onlyLock(entries) {
		err = os.RemoveAll(r.Store.Root)
	}
	return "", errors.Join(append(failures, err)...)
}

func onlyLock(entries []os.DirEntry) bool {
	for _, entry := range entries {
		if entry.Name() != ".lock" {
			return false
		}
	}
	return true
}
