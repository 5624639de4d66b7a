package outlive

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// leaveCgroups moves this process into the named group of every hierarchy that
// it is a member of. An empty root leaves it where it is.
func leaveCgroups(root, group string) error {
	if root == "" {
		return nil
	}
	enterHostCgroupNamespace()
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return fmt.Errorf("read own cgroups: %w", err)
	}
	directories, err := hierarchies(root, string(membership))
	if err != nil {
		return err
	}
	for _, directory := range directories {
		if err := join(filepath.Join(directory, group)); err != nil {
			return err
		}
	}
	return nil
}

// enterHostCgroupNamespace lets this thread move processes out of the
// container's part of a unified hierarchy. Best effort: without a cgroup
// namespace of its own a container needs no such step.
func enterHostCgroupNamespace() {
	host, err := os.Open("/proc/1/ns/cgroup")
	if err != nil {
		return
	}
	defer host.Close()
	_ = unix.Setns(int(host.Fd()), unix.CLONE_NEWCGROUP)
}

// hierarchies returns the mount points of the hierarchies in a /proc/<pid>/cgroup
// text. Those that are not mounted are left out; nobody can kill through them.
func hierarchies(root, membership string) ([]string, error) {
	var found []string
	lines := bufio.NewScanner(strings.NewReader(membership))
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("read own cgroups: line %q: %w", lines.Text(), os.ErrInvalid)
		}
		for _, candidate := range mountPoints(root, fields[1]) {
			if _, err := os.Stat(filepath.Join(candidate, "cgroup.procs")); err == nil {
				found = append(found, candidate)
				break
			}
		}
	}
	return found, nil
}

// mountPoints lists where a hierarchy with these controllers is usually mounted.
func mountPoints(root, controllers string) []string {
	if controllers == "" {
		return []string{root, filepath.Join(root, "unified")}
	}
	controllers = strings.TrimPrefix(controllers, "name=")
	points := []string{filepath.Join(root, controllers)}
	for _, controller := range strings.Split(controllers, ",") {
		points = append(points, filepath.Join(root, controller))
	}
	return points
}

func join(group string) error {
	if err := os.Mkdir(group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make cgroup: %w", err)
	}
	if err := inheritCpuset(group); err != nil {
		return err
	}
	pid := []byte(strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), pid, 0); err != nil {
		return fmt.Errorf("join cgroup: %w", err)
	}
	return nil
}

// inheritCpuset fills in what a new group of the cpuset hierarchy (version 1)
// lacks before it takes processes.
func inheritCpuset(group string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(group, file))
		if errors.Is(err, fs.ErrNotExist) || len(strings.TrimSpace(string(own))) > 0 {
			continue
		}
		parent, err := os.ReadFile(filepath.Join(filepath.Dir(group), file))
		if errors.Is(err, fs.ErrNotExist) || len(strings.TrimSpace(string(parent))) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(group, file), parent, 0); err != nil {
			return fmt.Errorf("set %s: %w", file, err)
		}
	}
	return nil
}
