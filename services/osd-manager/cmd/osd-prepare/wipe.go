package main

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/device"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
)

func wipeCommand() *cli.Command {
	return &cli.Command{
		Name: "wipe", Usage: "destroy the OSD on a disk, and its data",
		Flags: append(identityFlags(),
			&cli.StringFlag{Name: "method", Value: "quick", Usage: "quick or complete"},
			&cli.StringFlag{Name: "source", Value: "zero", Usage: "zero or random"},
			&cli.IntFlag{Name: "passes", Value: 1, Usage: "how often a complete wipe overwrites the disk"},
			&cli.StringFlag{Name: "data", Usage: "directory of the OSD to remove"},
			&cli.StringFlag{Name: "result", Value: "/dev/termination-log", Usage: "file that gets the result"},
		),
		Action: wipe,
	}
}

func wipe(c *cli.Context) error {
	w := device.Wiping{
		Machine: machine(c), OSD: identity(c), StableID: c.String("stable-id"), Passes: c.Int("passes"), DataDir: c.String("data"),
	}
	switch c.String("method") {
	case "quick":
	case "complete":
		w.Complete = true
	default:
		return fmt.Errorf("--method: %q is neither quick nor complete", c.String("method"))
	}
	switch c.String("source") {
	case "zero":
	case "random":
		w.Source = rand.Reader
	default:
		return fmt.Errorf("--source: %q is neither zero nor random", c.String("source"))
	}
	result := device.Wipe(c.Context, w)
	body, err := receipt.Encode(result)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.String("result"), body, 0o600); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if result.Outcome != receipt.Wiped {
		return fmt.Errorf("%s %s: %s", result.Outcome, result.Device, result.Message)
	}
	fmt.Fprintf(os.Stderr, "wiped %s\n", result.Device)
	return nil
}
