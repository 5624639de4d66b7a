// Command bench measures the budgets of the design on a local cluster of its
// own and prints each figure beside its budget. It judges nothing: it always
// exits 0 when it could measure.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := application().RunContext(ctx, os.Args)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func application() *cli.App {
	return &cli.App{
		Name: "bench", Usage: "measure the budgets of the design", HideHelpCommand: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "kubeconfig", Required: true, Usage: "cluster with nothing of ours on it"},
			&cli.StringFlag{Name: "charts", Value: "../charts", Usage: "directory of the charts"},
			&cli.StringFlag{Name: "ceph-tag", Value: "18.2.7", Usage: "tag of the Ceph image"},
			&cli.StringFlag{Name: "audit-log", Usage: "audit log of the API server, to count writes in"},
			&cli.IntFlag{Name: "claims", Value: 30, Usage: "claims to make, one after the other"},
			&cli.IntFlag{Name: "users", Value: 200, Usage: "users of the object store to make, all at once"},
			&cli.DurationFlag{Name: "idle", Value: 2 * time.Minute, Usage: "how long the settled cluster is watched"},
		},
		Action: run,
	}
}
