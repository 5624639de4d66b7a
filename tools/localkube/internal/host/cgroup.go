package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Cgroups is the host's cgroup file system.
type Cgroups struct {
	// hierarchies are the mount points: one for cgroup v2; for v1 one for each
	// controller, and the v2 one of a hybrid host.
	hierarchies []string
	unified     bool
}

const cgroupRoot = "/sys/fs/cgroup"

// FindCgroups reads which hierarchies the host has.
func FindCgroups() (Cgroups, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &stat); err != nil {
		return Cgroups{}, fmt.Errorf("find cgroups: %w", err)
	}
	if stat.Type == unix.CGROUP2_SUPER_MAGIC {
		return Cgroups{hierarchies: []string{cgroupRoot}, unified: true}, nil
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Cgroups{}, fmt.Errorf("find cgroups: %w", err)
	}
	hierarchies := legacyHierarchies(string(mounts))
	if len(hierarchies) == 0 {
		return Cgroups{}, errors.New("find cgroups: none is mounted below /sys/fs/cgroup")
	}
	return Cgroups{hierarchies: hierarchies}, nil
}

// legacyHierarchies returns the mount points of cgroup v1 in a mountinfo file,
// with that of the empty v2 hierarchy that a hybrid host has beside them:
// container runtimes use it too.
func legacyHierarchies(mountinfo string) []string {
	var found []string
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if ok && len(fields) > 4 && (strings.HasPrefix(after, "cgroup ") || strings.HasPrefix(after, "cgroup2 ")) && strings.HasPrefix(fields[4], cgroupRoot+"/") {
			found = append(found, fields[4])
		}
	}
	return found
}

// Create makes a cgroup in every hierarchy, fit to hold containers, with a
// child "system" for the machine's own processes.
func (c Cgroups) Create(path string) error {
	for _, hierarchy := range c.hierarchies {
		current := hierarchy
		for _, part := range strings.Split(strings.Trim(filepath.Join(path, "system"), "/"), "/") {
			parent := current
			current = filepath.Join(current, part)
			if err := c.create(parent, current); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c Cgroups) create(parent, path string) error {
	if c.unified {
		enableControllers(parent)
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("create cgroup: %w", err)
	}
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		if c.unified {
			continue
		}
		value, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read cgroup: %w", err)
		}
		if err := os.WriteFile(filepath.Join(path, name), bytes.TrimSpace(value), 0o644); err != nil {
			return fmt.Errorf("set cgroup: %w", err)
		}
	}
	return nil
}

// enableControllers passes on every controller that the parent has. One that
// cannot be passed on is left out; the kubelet says so if it needs it.
func enableControllers(parent string) {
	available, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return
	}
	for _, controller := range strings.Fields(string(available)) {
		_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
}

// Join moves a process into the child "system" of a cgroup.
func (c Cgroups) Join(path string, pid int) error {
	for _, hierarchy := range c.hierarchies {
		file := filepath.Join(hierarchy, path, "system", "cgroup.procs")
		if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
	}
	return nil
}

// Processes returns every process in a cgroup and below it, once.
func (c Cgroups) Processes(path string) []int {
	seen := map[int]bool{}
	for _, hierarchy := range c.hierarchies {
		for _, directory := range tree(filepath.Join(hierarchy, path)) {
			content, err := os.ReadFile(filepath.Join(directory, "cgroup.procs"))
			if err != nil {
				continue
			}
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
					seen[pid] = true
				}
			}
		}
	}
	pids := make([]int, 0, len(seen))
	for pid := range seen {
		pids = append(pids, pid)
	}
	return pids
}

// Remove removes a cgroup and all below it from every hierarchy. It fails
// while a process is in one of them.
func (c Cgroups) Remove(path string) error {
	var failures []error
	for _, hierarchy := range c.hierarchies {
		directories := tree(filepath.Join(hierarchy, path))
		for i := len(directories) - 1; i >= 0; i-- {
			if err := os.Remove(directories[i]); err != nil && !errors.Is(err, os.ErrNotExist) {
				failures = append(failures, fmt.Errorf("remove cgroup: %w", err))
				break
			}
		}
	}
	return errors.Join(failures...)
}

// Present is true when the cgroup exists in any hierarchy.
func (c Cgroups) Present(path string) bool {
	for _, hierarchy := range c.hierarchies {
		if Exists(filepath.Join(hierarchy, path)) {
			return true
		}
	}
	return false
}

// tree returns a directory and those below it, parents first.
func tree(root string) []string {
	var found []string
	_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	return found
}
