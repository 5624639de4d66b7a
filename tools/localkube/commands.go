package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/cluster"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/progress"
	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

func application() *cli.App {
	return &cli.App{
		Name:  "localkube",
		Usage: "run a real Kubernetes cluster on this machine",
		Description: "Needs root and Go on Debian or Ubuntu; installs and builds everything else.\n" +
			"`up` may be repeated: it repairs what is broken and leaves alone what runs.\n" +
			"`down` leaves nothing behind.",
		HideHelpCommand:        true,
		UseShortOptionHandling: true,
		Commands: []*cli.Command{
			upCommand(), downCommand(), statusCommand(), loadCommand(), addDiskCommand(), removeDiskCommand(),
			killNodeCommand(), partitionCommand(), healCommand(), execCommand(),
		},
	}
}

// commonFlags are those of every command.
func commonFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "name", Value: "default", Usage: "which cluster", EnvVars: []string{"LOCALKUBE_NAME"}},
		&cli.PathFlag{Name: "state-root", Value: cluster.DefaultRoot, Usage: "directory that holds all clusters", EnvVars: []string{"LOCALKUBE_STATE_ROOT"}},
		&cli.PathFlag{Name: "repo", Usage: "root of the repository (default: the directory with go.work above this one)"},
		&cli.PathFlag{Name: "kubeconfig", Usage: "file for the administrator's kubeconfig (default: .local/kubeconfig, or .local/NAME.kubeconfig)"},
	}, more...)
}

func dryRun() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "only say what would be done"}
}

func upCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start a cluster, or repair or grow one",
		Flags: commonFlags(
			&cli.IntFlag{Name: "nodes", Value: cluster.Unset, DefaultText: "1, or as it is", Usage: "number of nodes, 1 to 3", EnvVars: []string{"NODES"}},
			&cli.IntFlag{Name: "disks", Value: cluster.Unset, DefaultText: "3, or as it is", Usage: "disks of each node", EnvVars: []string{"DISKS"}},
			&cli.StringFlag{Name: "disk-size", DefaultText: "10Gi, or as it is", Usage: "size of each disk; only what is written takes space"},
			&cli.StringFlag{Name: "network", Usage: "first address of the IPv4 /16 to use (default: 10.180.0.0 and up)"},
			&cli.BoolFlag{Name: "zones", Usage: "label each node with a zone of its own"},
			&cli.BoolFlag{Name: "audit", Usage: "log every write to the API server, for counting"},
			dryRun(),
		),
		Action: func(c *cli.Context) error {
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			request, err := newRequest(c)
			if err != nil {
				return err
			}
			if c.Bool("dry-run") {
				return print(tool.Plan(request))
			}
			running, err := tool.Up(c.Context, request)
			if err != nil {
				return err
			}
			fmt.Printf("\nexport KUBECONFIG=%s\n%s get nodes\n", running.Kubeconfig, filepath.Join(tool.Links, "kubectl"))
			return nil
		},
	}
}

func downCommand() *cli.Command {
	return &cli.Command{
		Name: "down", Usage: "remove a cluster and all that belongs to it", Flags: commonFlags(dryRun()),
		Action: func(c *cli.Context) error {
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			kubeconfig, err := kubeconfigPath(c)
			if err != nil {
				return err
			}
			if c.Bool("dry-run") {
				return print(tool.DownPlan(c.String("name"), kubeconfig))
			}
			return tool.Down(c.Context, c.String("name"), kubeconfig)
		},
	}
}

func print(lines []string, err error) error {
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(lines, "\n"))
	return nil
}

func newTool(c *cli.Context) (*cluster.Tool, error) {
	repo, err := recipe.Repository(c.Path("repo"))
	if err != nil {
		return nil, err
	}
	cache, err := recipe.DefaultCache()
	if err != nil {
		return nil, err
	}
	root, err := filepath.Abs(c.Path("state-root"))
	if err != nil {
		return nil, fmt.Errorf("find state root: %w", err)
	}
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &cluster.Tool{
		Store: cluster.Store{Root: root},
		Builder: recipe.Builder{
			Source: filepath.Join(repo, "tools", "pinned"), Cache: cache, Output: os.Stderr,
			Target: recipe.Target{OS: runtime.GOOS, Arch: runtime.GOARCH, GoVersion: runtime.Version()},
		},
		Links:   filepath.Join(repo, "bin"),
		Display: &progress.Display{Output: os.Stderr, Terminal: terminal, Clock: time.Now},
		Output:  os.Stderr,
		Clock:   time.Now,
	}, nil
}

func newRequest(c *cli.Context) (cluster.Request, error) {
	bytes := int64(cluster.Unset)
	if text := c.String("disk-size"); text != "" {
		var err error
		if bytes, err = parseSize(text); err != nil {
			return cluster.Request{}, err
		}
	}
	kubeconfig, err := kubeconfigPath(c)
	if err != nil {
		return cluster.Request{}, err
	}
	request := cluster.Request{
		Name: c.String("name"), Nodes: c.Int("nodes"), Disks: c.Int("disks"), DiskBytes: bytes,
		Zones: c.Bool("zones"), Audit: c.Bool("audit"), Kubeconfig: kubeconfig,
	}
	if text := c.String("network"); text != "" {
		if request.Network, err = netip.ParseAddr(text); err != nil {
			return request, fmt.Errorf("network %q: use the first address of an IPv4 /16, such as 10.180.0.0", text)
		}
	}
	return request, nil
}

func kubeconfigPath(c *cli.Context) (string, error) {
	if given := c.Path("kubeconfig"); given != "" {
		return filepath.Abs(given)
	}
	repo, err := recipe.Repository(c.Path("repo"))
	if err != nil {
		return "", err
	}
	file := "kubeconfig"
	if name := c.String("name"); name != "default" {
		file = name + ".kubeconfig"
	}
	return filepath.Join(repo, ".local", file), nil
}

// parseSize reads a number of bytes with an optional suffix Mi, Gi or Ti.
func parseSize(text string) (int64, error) {
	units := map[string]int64{"Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
	digits, unit := text, int64(1)
	for suffix, factor := range units {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			digits, unit = rest, factor
		}
	}
	value, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || value <= 0 || value > 1<<50/unit {
		return 0, fmt.Errorf("size %q: use a whole number with Mi, Gi or Ti, such as 10Gi", text)
	}
	return value * unit, nil
}
