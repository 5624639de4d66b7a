// Command rgw-setup makes realms, zone groups and zones what they are wanted to
// be; see package rgwadmin. It is static and is carried into containers of the
// Ceph image, where it runs radosgw-admin.
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
		fmt.Fprintln(os.Stderr, "rgw-setup:", err)
		os.Exit(1) // nothing is left to stop
	}
}

func program() *cli.App {
	return &cli.App{
		Name: "rgw-setup", Usage: "makes realms, zone groups and zones of object stores", Version: version.String(), HideHelpCommand: true,
		Commands: []*cli.Command{installCommand(), applyCommand()},
	}
}
