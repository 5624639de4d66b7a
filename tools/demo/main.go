package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

const (
	flagKubeconfig = "kubeconfig"
	flagNamespace  = "namespace"
	flagCharts     = "charts"
	flagImages     = "images"
	flagRegistry   = "registry"
	flagTag        = "tag"
	flagCephTag    = "ceph-tag"
	flagNodes      = "nodes"
	flagTimeout    = "timeout"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := application().RunContext(ctx, os.Args)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func application() *cli.App {
	return &cli.App{
		Name: "demo", Usage: "rook-ceph, a Ceph cluster and a volume in use, on a cluster that is there", HideHelpCommand: true,
		Commands: []*cli.Command{
			{
				Name: "install", Usage: "install everything and wait until the volume is in use", Action: install,
				Flags: append(connection(),
					&cli.StringFlag{Name: flagCharts, Value: "../charts", Usage: "directory of the charts"},
					&cli.StringFlag{Name: flagImages, Value: "../.local/images", Usage: "directory of the images that were loaded; pods are replaced when theirs has changed"},
					&cli.StringFlag{Name: flagRegistry, Value: "localhost", Usage: "registry of our images and of the Ceph image"},
					&cli.StringFlag{Name: flagTag, Value: "dev", Usage: "tag of our images"},
					&cli.StringFlag{Name: flagCephTag, Value: "18.2.7", Usage: "tag of the Ceph image"},
					&cli.IntFlag{Name: flagNodes, Value: 1, Usage: "nodes of the cluster; with one, everything shares it"},
					&cli.DurationFlag{Name: flagTimeout, Value: 10 * time.Minute, Usage: "how long all of it may take"}),
			},
			{Name: "status", Usage: "show what there is", Flags: connection(), Action: status},
		},
	}
}

func connection() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagKubeconfig, Value: "../.local/kubeconfig", EnvVars: []string{"KUBECONFIG_FILE"}, Usage: "how to reach the cluster"},
		&cli.StringFlag{Name: flagNamespace, Value: "rook-ceph", Usage: "namespace of the services and of the Ceph cluster"},
	}
}
