// Command cephlet is the little program in every Ceph pod; see package cephlet.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/shared/cephlet"
	"github.com/rook-ceph/rook-ceph/shared/version"
)

func main() {
	if err := program().Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "cephlet:", err)
		os.Exit(1)
	}
}

func program() *cli.App {
	return &cli.App{
		Name: "cephlet", Usage: "helps Ceph daemons in pods", Version: version.String(), HideHelpCommand: true,
		Commands: []*cli.Command{install(), execCommand(), probe()},
	}
}

func install() *cli.Command {
	return &cli.Command{
		Name: "install", Usage: "copy this program into a directory", ArgsUsage: "DIR",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fmt.Errorf("install: want one directory, got %d arguments", c.NArg())
			}
			return cephlet.Install(c.Args().First())
		},
	}
}

func execCommand() *cli.Command {
	return &cli.Command{
		Name: "exec", Usage: "give directories to a user, then become another program", ArgsUsage: "-- PROGRAM [ARG...]",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "own", Usage: "directory to make and give away; may be repeated"},
			&cli.StringFlag{Name: "user", Value: "ceph", Usage: "who gets the directories"},
		},
		Action: func(c *cli.Context) error {
			if err := cephlet.Own(c.String("user"), c.StringSlice("own")...); err != nil || !c.Args().Present() {
				return err
			}
			return cephlet.Exec(c.Args().Slice())
		},
	}
}

func probe() *cli.Command {
	return &cli.Command{
		Name: "probe", Usage: "ask a daemon over its admin socket", ArgsUsage: "SOCKET COMMAND",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "timeout", Value: 3 * time.Second, Usage: "how long to wait for the reply"},
			&cli.StringSliceFlag{Name: "not-state", Usage: "fail when the reply has this state; may be repeated"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return fmt.Errorf("probe: want a socket and a command, got %d arguments", c.NArg())
			}
			return cephlet.Probe(c.Args().Get(0), c.Args().Get(1), c.StringSlice("not-state"), c.Duration("timeout"), time.Now())
		},
	}
}
