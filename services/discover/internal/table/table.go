// Package table writes what a scan found as a table for people. It decides
// nothing and reads no device.
package table

import (
	"fmt"
	"io"
	"text/tabwriter"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Write prints one line per device. Devices that the inventory ignores are left
// out unless ignored is true.
func Write(out io.Writer, node string, found []scan.Disk, ignored bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDEVICE\tSIZE\tKIND\tSTATE\tREASON\tMESSAGE")
	hidden := 0
	for _, one := range found {
		name := disk.ObjectName(node, one.Facts.StableID())
		if one.Verdict.State == disk.Ignored {
			if hidden++; !ignored {
				continue
			}
			name = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, one.Facts.KernelName, inventory.FormatSize(one.Facts.SizeBytes),
			one.Facts.Kind, one.Verdict.State, one.Verdict.Reason, one.Verdict.Message)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	if hidden > 0 && !ignored {
		fmt.Fprintf(out, "%d devices are no disks; --all shows them\n", hidden)
	}
	return nil
}
