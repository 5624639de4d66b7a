package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/host"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/image"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/progress"
	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

// Tool works on the clusters of one store.
type Tool struct {
	Store   Store
	Builder recipe.Builder
	// Links is the directory where the programs for people, such as kubectl,
	// are linked.
	Links   string
	Display *progress.Display
	// Output receives what the programs say that the tool runs.
	Output io.Writer
	Clock  func() time.Time
}

// run is one operation on one cluster.
type run struct {
	*Tool
	cluster  layout.Cluster
	cgroups  host.Cgroups
	programs map[string]recipe.Built
	archives []image.Archive
	// started says when this run started which node.
	started map[string]time.Time
}

// lock keeps other runs out and says so when it has to wait for one.
func (t *Tool) lock() (func(), error) {
	return t.Store.Lock(func() { fmt.Fprintln(t.Output, "waiting for another run of localkube") })
}

// program returns the path of a built program.
func (r *run) program(recipe, name string) string { return r.programs[recipe].Path(name) }

// await polls a condition until it is true, the context ends or the time is
// over. The last thing that was missing is in the error.
func await(ctx context.Context, what string, limit time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		missing := check(ctx)
		if missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await %s for %s: %w", what, limit, missing)
		case <-ticker.C:
		}
	}
}

// kubectl runs the cluster's own kubectl.
func (r *run) kubectl(ctx context.Context, input string, arguments ...string) (string, error) {
	all := append([]string{"--kubeconfig", r.cluster.Kubeconfig}, arguments...)
	command := exec.CommandContext(ctx, r.program("kube", "kubectl"), all...)
	command.Stdin = strings.NewReader(input)
	var output, failure bytes.Buffer
	command.Stdout, command.Stderr = &output, &failure
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("run kubectl %s: %w: %s", arguments[0], err, strings.TrimSpace(failure.String()))
	}
	return output.String(), nil
}

// node returns the containerd of a running node.
func (r *run) node(name string) (image.Node, error) {
	process, ok := machine.Find(r.cluster.MachineDir(name))
	if !ok {
		return image.Node{}, fmt.Errorf("find node %s: it does not run: run `localkube up --name %s`", name, r.cluster.Name)
	}
	socket := filepath.Join("/proc", fmt.Sprint(process.PID), "root/run/containerd/containerd.sock")
	return image.Node{Name: name, Client: r.program("containerd", "ctr"), Socket: socket}, nil
}

func writeFile(path, content string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("create directory: %w", err)
	}
	if now, err := os.ReadFile(path); err == nil && string(now) == content {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), mode); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}
