package inventory

import (
	"cmp"
	"slices"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Plan is what has to be true of the node's CephDisks.
type Plan struct {
	// Keep are the statuses of objects that have to exist, by name: disks that
	// are there, and OSDs that are missing.
	Keep []Entry
	// Forget are objects of disks that are gone and never mattered.
	Forget []inventory.CephDisk
}

// Entry is one object and its status.
type Entry struct {
	Name   string
	Status inventory.CephDiskStatus
}

// Decide compares the disks of the node with its objects. It is a pure function.
//
// A disk that is there has an object. A disk that is gone keeps its object, with
// state Missing, when it is or was an OSD or is becoming one: that is the
// record people replace disks by. The object of any other disk goes with it.
func Decide(node string, seen []scan.Disk, existing []inventory.CephDisk) Plan {
	var plan Plan
	present := map[string]bool{}
	for _, one := range seen {
		if one.Verdict.State == disk.Ignored {
			continue
		}
		name := disk.ObjectName(node, one.Facts.StableID())
		if !present[name] { // two paths to one disk are one disk
			present[name] = true
			plan.Keep = append(plan.Keep, Entry{name, status(node, one)})
		}
	}
	for _, object := range existing {
		switch {
		case present[object.Name] || !object.DeletionTimestamp.IsZero():
		case precious(object.Status):
			plan.Keep = append(plan.Keep, Entry{object.Name, missing(object.Status)})
		default:
			plan.Forget = append(plan.Forget, object)
		}
	}
	slices.SortFunc(plan.Keep, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return plan
}

// precious reports whether a disk is, was, or is becoming an OSD.
func precious(status inventory.CephDiskStatus) bool {
	if status.OSD != nil {
		return true
	}
	selection := status.Selection
	if selection == nil {
		return false
	}
	switch selection.State {
	case inventory.SelectionPreparing, inventory.SelectionPrepared:
		return true
	default:
		return selection.OSDUUID != "" || selection.OSDID != nil
	}
}
