// Command osd-prepare turns a disk into an OSD and finds it again; see package
// device. It is static and is carried into containers of the Ceph image.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/shared/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := program().RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "osd-prepare:", err)
		os.Exit(1) // nothing is left to stop
	}
}

func program() *cli.App {
	return &cli.App{
		Name: "osd-prepare", Usage: "turns disks into OSDs", Version: version.String(), HideHelpCommand: true,
		Commands: []*cli.Command{installCommand(), prepareCommand(), activateCommand(), wipeCommand()},
	}
}
