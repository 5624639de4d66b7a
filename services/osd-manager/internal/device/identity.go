package device

import (
	"context"
	"fmt"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Identity is which OSD of which cluster a disk belongs to.
type Identity struct {
	// FSID is the cluster's, UUID the OSD's.
	FSID, UUID string
	// ID is the number that Ceph gave the OSD.
	ID int
}

// Owns tells whether the label of a disk names this OSD. The uuid decides; a
// label that names another cluster or number with it is not trusted.
func (i Identity) Owns(found scan.Disk) bool {
	label, ok := found.Label()
	if !ok || label.OSDUUID != i.UUID || label.FSID() != i.FSID {
		return false
	}
	id, named := label.OSDID()
	return !named || id == i.ID
}

// String names the OSD for people.
func (i Identity) String() string { return fmt.Sprintf("osd.%d (uuid %s)", i.ID, i.UUID) }

// Machine is the node: where the kernel shows its disks, and where their
// device files are.
type Machine struct {
	Scanner scan.Scanner
	Dev     scan.DevDir
}

// byStableID returns the one disk with the identity. Two disks that claim it
// are an error, because a write to one may be a write to the other.
func (m Machine) byStableID(stableID string) (disk.Facts, error) {
	all, err := m.facts()
	if err != nil {
		return disk.Facts{}, err
	}
	var matching []disk.Facts
	for _, facts := range all {
		if facts.StableID() == stableID && m.Dev.Present(facts) {
			matching = append(matching, facts)
		}
	}
	switch len(matching) {
	case 0:
		return disk.Facts{}, fmt.Errorf("%w: no disk with identity %s", errMissing, stableID)
	case 1:
		return matching[0], nil
	default:
		names := []string{matching[0].KernelName, matching[1].KernelName}
		return disk.Facts{}, fmt.Errorf("%w: %s", scan.ErrRefused, disk.Duplicate(names).Message)
	}
}

// facts reads what the kernel says about every device, opening none.
func (m Machine) facts() ([]disk.Facts, error) {
	names, err := m.Scanner.Host.Names()
	if err != nil {
		return nil, err
	}
	usage, err := m.Scanner.Host.Usage()
	if err != nil {
		return nil, err
	}
	all := make([]disk.Facts, 0, len(names))
	for _, name := range names {
		// A device that goes while we look is not the one we are looking for.
		if facts, err := m.Scanner.Host.Facts(name, usage); err == nil {
			all = append(all, facts)
		}
	}
	return all, nil
}

// look reads one disk without claiming it.
func (m Machine) look(ctx context.Context, name string) (scan.Disk, error) {
	found, err := m.Scanner.Some(ctx, []string{name})
	if err != nil {
		return scan.Disk{}, err
	}
	if len(found) != 1 {
		return scan.Disk{}, fmt.Errorf("%w: %s went away", errMissing, name)
	}
	return found[0], nil
}
