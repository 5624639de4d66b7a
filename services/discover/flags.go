package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	agent "github.com/rook-ceph/rook-ceph/services/discover/internal/inventory"
	"github.com/rook-ceph/rook-ceph/services/discover/internal/table"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	flagNode    = "node-name"
	flagDev     = "host-dev"
	flagSys     = "host-sys"
	flagProc    = "host-proc"
	flagLoop    = "allow-loop-devices"
	flagMinSize = "min-size"
	flagKubelet = "kubelet-dir"
)

func nodeFlag() cli.Flag {
	return &cli.StringFlag{Name: flagNode, EnvVars: []string{"NODE_NAME"}, Usage: "name of this Kubernetes node", Required: true}
}

func deviceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagDev, EnvVars: []string{"HOST_DEV"}, Value: "/dev",
			Usage: "directory with the device nodes of this node; a disk without a node there is not its disk"},
		&cli.StringFlag{Name: flagSys, EnvVars: []string{"HOST_SYS"}, Value: "/sys", Usage: "where sysfs is mounted"},
		&cli.StringFlag{Name: flagProc, EnvVars: []string{"HOST_PROC"}, Value: "/proc",
			Usage: "where procfs of the host's process namespace is mounted"},
		&cli.BoolFlag{Name: flagLoop, EnvVars: []string{"ALLOW_LOOP_DEVICES"}, Usage: "let loop devices become OSDs; for tests"},
		&cli.StringFlag{Name: flagMinSize, EnvVars: []string{"MIN_DISK_SIZE"}, Value: "5Gi", Usage: "smallest disk that may become an OSD"},
		&cli.StringFlag{Name: flagKubelet, EnvVars: []string{"KUBELET_DIR"}, Value: "/var/lib/kubelet",
			Usage: "directory of the kubelet; loop devices over its files are volumes of pods"},
	}
}

// scanner makes a scanner from the flags.
func scanner(c *cli.Context) (scan.Scanner, error) {
	size, err := resource.ParseQuantity(c.String(flagMinSize))
	if err != nil || size.Sign() < 0 {
		return scan.Scanner{}, app.Usagef("--%s: %q is no size such as 5Gi", flagMinSize, c.String(flagMinSize))
	}
	return scan.Scanner{
		Host:  disk.Host{Sys: c.String(flagSys), Proc: c.String(flagProc)},
		Nodes: scan.DevDir(c.String(flagDev)),
		Policy: disk.Policy{
			AllowLoop: c.Bool(flagLoop), MinSizeBytes: size.Value(), VolumeDirs: []string{c.String(flagKubelet)},
		},
	}, nil
}

// ownDisks keeps the CephDisks of other nodes out of the cache: a thousand
// nodes cost each agent nothing.
func ownDisks(c *cli.Context, options *cache.Options) {
	if options.ByObject == nil {
		options.ByObject = map[client.Object]cache.ByObject{}
	}
	own := labels.SelectorFromSet(labels.Set{names.LabelHostname: agent.NodeLabel(c.String(flagNode))})
	options.ByObject[&inventory.CephDisk{}] = cache.ByObject{Label: own}
}

func scanCommand() *cli.Command {
	return &cli.Command{
		Name:  "scan",
		Usage: "look at the disks of this machine once and print what discover thinks of them; needs no cluster",
		Flags: append(deviceFlags(),
			&cli.StringFlag{Name: flagNode, EnvVars: []string{"NODE_NAME"}, Usage: "name of the node; the hostname when empty"},
			&cli.BoolFlag{Name: "dry-run", Value: true, Usage: "print only; a scan never writes, so this is always so"},
			&cli.BoolFlag{Name: "all", Usage: "show devices that are no disks, too"}),
		Action: func(c *cli.Context) error {
			scanner, err := scanner(c)
			if err != nil {
				return err
			}
			node := c.String(flagNode)
			if node == "" {
				if node, err = os.Hostname(); err != nil {
					return fmt.Errorf("find the name of the node: %w", err)
				}
			}
			found, err := scanner.All(c.Context)
			if err != nil {
				return err
			}
			return table.Write(c.App.Writer, node, found, c.Bool("all"))
		},
	}
}
