package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/cluster"
)

func nodeFlag() cli.Flag {
	return &cli.StringFlag{Name: "node", Value: "node1", Usage: "which node"}
}

func statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what a cluster is doing", Flags: commonFlags(),
		Action: func(c *cli.Context) error {
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			status, ok, err := tool.Status(c.Context, c.String("name"))
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("find cluster %q: there is none; `localkube up` makes one", c.String("name"))
			}
			return show(status)
		},
	}
}

// show prints a status; a cluster that does not work is an error, for scripts.
func show(status cluster.Status) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "MACHINE\tADDRESS\tSTATE\tPID\tDISKS\tMEMORY")
	for _, machine := range status.Machines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d MiB\n", machine.Name, machine.Address, machine.State, machine.PID, machine.Disks, machine.Bytes>>20)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print status: %w", err)
	}
	fmt.Printf("\nAPI server %s\nkubeconfig %s\nfiles      %s\n", status.Cluster.Server(), status.Cluster.Kubeconfig, status.Cluster.State)
	if !status.Working {
		return fmt.Errorf("cluster %s does not work: %s", status.Cluster.Name, status.Problem)
	}
	return nil
}

func loadCommand() *cli.Command {
	return &cli.Command{
		Name: "load", Usage: "import images into every node", ArgsUsage: "LAYOUT...", Flags: commonFlags(),
		Description: "A LAYOUT is an OCI layout directory or a tar file of one, whose index.json names each image\n" +
			"in the annotation io.containerd.image.name. What a node has already is skipped.",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return errors.New("load images: name at least one OCI layout")
			}
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			return tool.Load(c.Context, c.String("name"), c.Args().Slice())
		},
	}
}

func addDiskCommand() *cli.Command {
	return &cli.Command{
		Name: "add-disk", Usage: "give a running node one more disk, empty or a copy of a file, and print its device",
		Flags: append(commonFlags(nodeFlag()), &cli.PathFlag{Name: "content", Usage: "file that the disk is a copy of, and as large as"}),
		Action: func(c *cli.Context) error {
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			device, err := tool.AddDisk(c.Context, c.String("name"), c.String("node"), c.Path("content"))
			if err != nil {
				return err
			}
			fmt.Println(device)
			return nil
		},
	}
}

func removeDiskCommand() *cli.Command {
	return &cli.Command{
		Name: "remove-disk", Usage: "pull a disk out of a running node and delete its data", ArgsUsage: "DEVICE", Flags: commonFlags(nodeFlag()),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return errors.New("remove disk: name one device, such as /dev/loop100")
			}
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			return tool.RemoveDisk(c.Context, c.String("name"), c.String("node"), c.Args().First())
		},
	}
}

func killNodeCommand() *cli.Command {
	return &cli.Command{
		Name: "kill-node", Usage: "end a node at once, as a power failure would; `up` starts it again", Flags: commonFlags(nodeFlag()),
		Action: func(c *cli.Context) error {
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			return tool.KillNode(c.Context, c.String("name"), c.String("node"))
		},
	}
}

func partitionCommand() *cli.Command {
	return &cli.Command{
		Name: "partition-node", Usage: "cut a node off the network; its pods live on", Flags: commonFlags(nodeFlag()),
		Action: func(c *cli.Context) error { return setPartition(c, false) },
	}
}

func healCommand() *cli.Command {
	return &cli.Command{
		Name: "heal-node", Usage: "join a cut-off node to the network again", Flags: commonFlags(nodeFlag()),
		Action: func(c *cli.Context) error { return setPartition(c, true) },
	}
}

func setPartition(c *cli.Context, connected bool) error {
	tool, err := newTool(c)
	if err != nil {
		return err
	}
	return tool.Partition(c.Context, c.String("name"), c.String("node"), connected)
}

func execCommand() *cli.Command {
	return &cli.Command{
		Name: "exec", Usage: "run a command inside a node or the machine \"control\"", ArgsUsage: "-- COMMAND...", Flags: commonFlags(nodeFlag()),
		Action: func(c *cli.Context) error {
			arguments := c.Args().Slice()
			if len(arguments) == 0 {
				arguments = []string{"/bin/sh"}
			}
			tool, err := newTool(c)
			if err != nil {
				return err
			}
			err = tool.Exec(c.Context, c.String("name"), c.String("node"), arguments)
			var ended *exec.ExitError
			if errors.As(err, &ended) {
				os.Exit(ended.ExitCode())
			}
			return err
		},
	}
}
