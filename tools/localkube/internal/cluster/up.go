package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/disk"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/host"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/image"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/network"
	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

// stage is one step of an operation, in words and in deeds.
type stage struct {
	title string
	do    func(context.Context) (string, error)
}

// Up makes the requested cluster run and returns it. A cluster that runs as
// requested is left alone.
func (t *Tool) Up(ctx context.Context, request Request) (layout.Cluster, error) {
	unlock, err := t.lock()
	if err != nil {
		return layout.Cluster{}, err
	}
	defer unlock()
	r, existed, err := t.open(request)
	if err != nil {
		return layout.Cluster{}, err
	}
	if existed && r.settled(ctx) {
		fmt.Fprintf(t.Output, "cluster %s runs already\n", r.cluster.Name)
		return r.cluster, nil
	}
	stages := r.upStages()
	t.Display.Total = len(stages)
	for _, stage := range stages {
		if err := t.Display.Step(ctx, stage.title, stage.do); err != nil {
			return r.cluster, err
		}
	}
	return r.cluster, nil
}

// Plan returns what Up would do, one line each.
func (t *Tool) Plan(request Request) ([]string, error) {
	r, existed, err := t.open(request)
	if err != nil {
		return nil, err
	}
	verb := "create"
	if existed {
		verb = "repair or grow"
	}
	lines := []string{fmt.Sprintf("%s cluster %s in %s: %d nodes with %d disks of %d MiB each, network %s, API server %s, kubeconfig %s",
		verb, r.cluster.Name, r.cluster.State, r.cluster.Nodes, r.cluster.Disks, r.cluster.DiskBytes>>20, r.cluster.Whole(), r.cluster.Server(), r.cluster.Kubeconfig)}
	for i, stage := range r.upStages() {
		lines = append(lines, fmt.Sprintf("%2d. %s", i+1, stage.title))
	}
	return lines, nil
}

// open resolves a request against the clusters that there are.
func (t *Tool) open(request Request) (*run, bool, error) {
	all, err := t.Store.List()
	if err != nil {
		return nil, false, err
	}
	existing, existed, err := t.Store.Open(request.Name)
	if err != nil {
		return nil, false, err
	}
	var known *layout.Cluster
	if existed {
		known = &existing
	}
	owners, err := network.Owners()
	if err != nil {
		return nil, false, err
	}
	state := t.Store.state(request.Name)
	cluster, err := Resolve(request, state, known, FreeSlot(all, owners, state))
	if err != nil {
		return nil, false, err
	}
	return &run{Tool: t, cluster: cluster, programs: map[string]recipe.Built{}, started: map[string]time.Time{}}, existed && existing == cluster, nil
}

func (r *run) upStages() []stage {
	return []stage{
		{"check this machine", r.checkHost},
		{"install packages", r.installPackages},
		{"build Kubernetes, etcd, containerd, CoreDNS and the snapshot-controller", r.buildPrograms},
		{"make certificates", r.makeState},
		{"connect the network", r.connectNetwork},
		{"attach disks", r.attachDisks},
		{"start the control plane", r.startControl},
		{"start nodes", r.startNodes},
		{"import images", r.importOwn},
		{"await the API server", r.awaitServer},
		{"install cluster DNS and kinds of snapshots", r.installAddons},
		{"await nodes and DNS", r.awaitReady},
	}
}

func (r *run) checkHost(context.Context) (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("check rights: a local cluster needs root for namespaces, mounts and loop devices: run it as root, for example with sudo")
	}
	var err error
	if r.cgroups, err = host.FindCgroups(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(r.Store.Root, 0o755); err != nil {
		return "", fmt.Errorf("create state directory: %w", err)
	}
	if err := checkStorage(r.Store.Root); err != nil {
		return "", err
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil && r.cluster.Disks > 0 {
		return "", errors.New("find loop devices: this kernel has none: load the module with `modprobe loop`, or pass --disks 0")
	}
	return "", network.CheckFree(r.cluster)
}

// checkStorage refuses file systems that cannot hold the layers of containers.
func checkStorage(path string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if stat.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return fmt.Errorf("check %s: it lies on an overlay, which cannot hold another one: choose a directory on ext4 or xfs with --state-root", path)
	}
	const needed = 10 << 30
	if free := int64(stat.Bavail) * stat.Bsize; free < needed {
		return fmt.Errorf("check %s: %d GiB are free, %d are needed: free some, or choose another directory with --state-root", path, free>>30, needed>>30)
	}
	return nil
}

func (r *run) installPackages(ctx context.Context) (string, error) {
	missing := host.MissingPackages(host.Exists)
	if len(missing) == 0 {
		return "all there", nil
	}
	return strings.Join(missing, " "), host.InstallPackages(ctx, missing)
}

func (r *run) buildPrograms(ctx context.Context) (string, error) {
	var fresh []string
	for _, name := range recipe.Cluster() {
		chosen, err := recipe.Find(name)
		if err != nil {
			return "", err
		}
		built, err := r.Builder.Build(ctx, chosen)
		if err != nil {
			return "", err
		}
		if built.Fresh {
			fresh = append(fresh, name)
		}
		r.programs[name] = built
		if err := r.Builder.Link(chosen, built, r.Links); err != nil {
			return "", err
		}
	}
	if len(fresh) == 0 {
		return "cached", r.makeImages()
	}
	return "built " + strings.Join(fresh, ", "), r.makeImages()
}

// makeImages makes the images of the cluster's own pods, next to the programs.
func (r *run) makeImages() error {
	r.archives = nil
	for name, program := range map[string]string{config.PauseImage: "pause", config.CoreDNSImage: "coredns"} {
		built := r.programs[program]
		directory := filepath.Join(filepath.Dir(filepath.Dir(built.Directory)), "images", filepath.Base(built.Directory))
		if err := image.Make(directory, name, built.Path(program)); err != nil {
			return err
		}
		archive, err := image.Open(directory)
		if err != nil {
			return err
		}
		r.archives = append(r.archives, archive)
	}
	return nil
}

func (r *run) makeState(context.Context) (string, error) {
	if err := r.Store.Save(r.cluster); err != nil {
		return "", err
	}
	if err := r.keepExecutable(); err != nil {
		return "", err
	}
	if err := r.limits().Raise(); err != nil {
		return "", err
	}
	return "", errors.Join(r.issue(), r.writeKubeconfig())
}

// limitsRecord is gone after a restart of the host, as the raised limits are.
const limitsRecord = "/run/rook-ceph-local-limits.json"

func (r *run) limits() host.Limits {
	return host.Limits{Settings: "/proc/sys", Record: limitsRecord}
}

func (r *run) connectNetwork(context.Context) (string, error) {
	return r.cluster.Whole().String(), network.EnsureBridge(r.cluster)
}

func (r *run) attachDisks(context.Context) (string, error) {
	for node := 1; node <= r.cluster.Nodes; node++ {
		for _, number := range r.cluster.AttachLoops(node) {
			if err := disk.Add(number); err != nil {
				return "", err
			}
		}
		for _, number := range r.disks(node) {
			if err := r.attach(node, number); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%d for each of %d nodes", r.cluster.Disks, r.cluster.Nodes), nil
}

func (r *run) startControl(ctx context.Context) (string, error) {
	return r.note(r.start(ctx, layout.ControlPlane))
}

func (r *run) startNodes(ctx context.Context) (string, error) {
	started := 0
	for number := 1; number <= r.cluster.Nodes; number++ {
		fresh, err := r.start(ctx, layout.Node(number))
		if err != nil {
			return "", err
		}
		if fresh {
			started++
		}
	}
	if started == 0 {
		return "running", r.presentDisks()
	}
	return fmt.Sprintf("%d started", started), r.presentDisks()
}

func (r *run) note(started bool, err error) (string, error) {
	if err == nil && !started {
		return "running", nil
	}
	return "", err
}

func (r *run) importOwn(ctx context.Context) (string, error) {
	return "", r.onNodes(func(node image.Node) error {
		err := await(ctx, "containerd of "+node.Name, 60*time.Second, func(ctx context.Context) error {
			if !node.Ready(ctx) {
				return fmt.Errorf("it does not answer: see %s", filepath.Join(r.cluster.MachineRoot(node.Name), config.Logs, "containerd.log"))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, archive := range r.archives {
			if _, err := node.Load(ctx, archive); err != nil {
				return err
			}
		}
		return nil
	})
}

// onNodes does the same on every node at once.
func (r *run) onNodes(do func(image.Node) error) error {
	failures := make([]error, r.cluster.Nodes)
	var group sync.WaitGroup
	for index := range failures {
		group.Go(func() {
			node, err := r.node(layout.Node(index + 1))
			if err == nil {
				err = do(node)
			}
			failures[index] = err
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func (r *run) awaitServer(ctx context.Context) (string, error) {
	client, err := r.client()
	if err != nil {
		return "", err
	}
	err = await(ctx, "the API server", 3*time.Minute, client.ready)
	if err != nil {
		err = fmt.Errorf("%w: see %s", err, filepath.Join(r.cluster.MachineRoot(layout.ControlPlane), config.Logs, "kube-apiserver.log"))
	}
	return r.cluster.Server(), err
}

func (r *run) installAddons(ctx context.Context) (string, error) {
	snapshots, err := recipe.Find("snapshot-controller")
	if err != nil {
		return "", err
	}
	var definitions []string
	for file := range snapshots.Files {
		content, err := os.ReadFile(r.programs[snapshots.Name].Path(file))
		if err != nil {
			return "", fmt.Errorf("read definition: %w", err)
		}
		definitions = append(definitions, string(content))
	}
	_, err = r.kubectl(ctx, config.Addons(r.cluster, definitions...), "apply", "--server-side", "--force-conflicts", "-f", "-")
	return "", err
}

func (r *run) awaitReady(ctx context.Context) (string, error) {
	client, err := r.client()
	if err != nil {
		return "", err
	}
	return "", await(ctx, "a working cluster", 3*time.Minute, func(ctx context.Context) error {
		if err := client.reported(ctx, r.started); err != nil {
			return err
		}
		return client.working(ctx, r.cluster.Nodes)
	})
}

// settled is true when everything of the cluster runs as it should.
func (r *run) settled(ctx context.Context) bool {
	var err error
	if r.cgroups, err = host.FindCgroups(); err != nil {
		return false
	}
	if _, err := r.buildPrograms(ctx); err != nil {
		return false
	}
	for _, name := range r.cluster.MachineNames() {
		if !r.current(name) {
			return false
		}
	}
	if !r.disksPresent() || r.writeKubeconfig() != nil {
		return false
	}
	client, err := r.client()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return client.ready(ctx) == nil && client.working(ctx, r.cluster.Nodes) == nil
}
