package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/device"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

func installCommand() *cli.Command {
	return &cli.Command{
		Name: "install", Usage: "copy this program into a directory", ArgsUsage: "DIR",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fmt.Errorf("install: want one directory, got %d arguments", c.NArg())
			}
			return device.Install(c.Args().First())
		},
	}
}

// identityFlags name the OSD and tell where the node's disks are seen.
func identityFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "osd-id", Required: true, Usage: "number of the OSD"},
		&cli.StringFlag{Name: "osd-uuid", Required: true, Usage: "uuid of the OSD"},
		&cli.StringFlag{Name: "fsid", Required: true, Usage: "fsid of the Ceph cluster"},
		&cli.StringFlag{Name: "stable-id", Usage: "identity of the disk"},
		&cli.BoolFlag{Name: "allow-loop", Usage: "look at loop devices too"},
		&cli.StringFlag{Name: "sys", Value: "/sys", Usage: "sysfs"},
		&cli.StringFlag{Name: "proc", Value: "/proc", Usage: "procfs of the host"},
		&cli.StringFlag{Name: "dev", Value: "/dev", Usage: "directory with the host's device files"},
	}
}

func prepareCommand() *cli.Command {
	return &cli.Command{
		Name: "prepare", Usage: "turn a blank disk into an OSD", ArgsUsage: "[-- CEPH-OSD-ARG...]",
		Flags: append(identityFlags(),
			&cli.StringFlag{Name: "keyfile", Required: true, Usage: "file with the OSD's key"},
			&cli.StringFlag{Name: "work-dir", Usage: "where the short-lived data directory is made"},
			&cli.StringFlag{Name: "ceph-osd", Value: "ceph-osd", Usage: "program"},
			&cli.StringFlag{Name: "result", Value: "/dev/termination-log", Usage: "file that gets the result"},
		),
		Action: prepare,
	}
}

func prepare(c *cli.Context) error {
	result := device.Prepare(c.Context, device.Preparation{
		Machine: machine(c), OSD: identity(c), StableID: c.String("stable-id"), Now: time.Now(),
		Formatter: device.Mkfs{
			Program: c.String("ceph-osd"), Dir: c.String("work-dir"), Keyfile: c.String("keyfile"),
			Args: c.Args().Slice(), Log: os.Stderr,
		},
	})
	body, err := receipt.Encode(result)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.String("result"), body, 0o600); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if result.Outcome != receipt.Prepared {
		return fmt.Errorf("%s %s: %s", result.Outcome, result.Device, result.Message)
	}
	fmt.Fprintf(os.Stderr, "prepared %s as osd.%d\n", result.Device, result.OSDID)
	return nil
}

func activateCommand() *cli.Command {
	return &cli.Command{
		Name: "activate", Usage: "find the disk of an OSD and fill its data directory",
		Flags: append(identityFlags(),
			&cli.StringFlag{Name: "data", Required: true, Usage: "data directory of the OSD"},
			&cli.StringFlag{Name: "device-class", Usage: "device class that a new OSD reports"},
			&cli.StringFlag{Name: "user", Value: "ceph", Usage: "who runs the OSD"},
		),
		Action: activate,
	}
}

func activate(c *cli.Context) error {
	uid, gid, err := account(c.String("user"))
	if err != nil {
		return err
	}
	path, err := device.Activate(c.Context, device.Activation{
		Machine: machine(c), OSD: identity(c), StableID: c.String("stable-id"),
		DataDir: c.String("data"), DeviceClass: c.String("device-class"), UID: uid, GID: gid,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "osd.%d is on %s\n", c.Int("osd-id"), path)
	return nil
}

func machine(c *cli.Context) device.Machine {
	dev := scan.DevDir(c.String("dev"))
	return device.Machine{Dev: dev, Scanner: scan.Scanner{
		Host: disk.Host{Sys: c.String("sys"), Proc: c.String("proc")}, Nodes: dev,
		Policy: disk.Policy{AllowLoop: c.Bool("allow-loop")},
	}}
}

func identity(c *cli.Context) device.Identity {
	return device.Identity{ID: c.Int("osd-id"), UUID: c.String("osd-uuid"), FSID: c.String("fsid")}
}

func account(name string) (uid, gid int, err error) {
	found, err := user.Lookup(name)
	if err != nil {
		return 0, 0, fmt.Errorf("look up user: %w", err)
	}
	if uid, err = strconv.Atoi(found.Uid); err != nil {
		return 0, 0, fmt.Errorf("read uid of %s: %w", name, err)
	}
	if gid, err = strconv.Atoi(found.Gid); err != nil {
		return 0, 0, fmt.Errorf("read gid of %s: %w", name, err)
	}
	return uid, gid, nil
}
