package selection

import (
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// own is the verdict about a disk whose label names the cluster and that has no
// CephOSD. Only a disk that is Selected is taken back, and only one whose OSD
// did not get ready may be called free to wipe.
func (d decision) own(cluster *api.CephCluster, label *inventory.OSDLabel) *inventory.DiskSelection {
	verdict := func(state inventory.SelectionState, reason, message string) *inventory.DiskSelection {
		v := verdictOf(cluster, state, reason, message)
		v.OSDID, v.OSDUUID = label.OSDID, label.UUID
		return v
	}
	switch {
	case !fleet.Main(label):
		return verdict(inventory.SelectionRefused, ReasonPartOfOSD,
			fmt.Sprintf("holds the %s of an OSD of CephCluster %s; such OSDs are not supported yet, their data is left alone", label.Description, cluster.Name))
	case !active(cluster):
		return d.resting(cluster, label, verdict)
	case !fleet.Finished(d.disk):
		return verdict(inventory.SelectionRefused, ReasonUnfinishedOSD, "holds an unfinished OSD of this cluster whose CephOSD is gone; wipe the disk to use it")
	}
	v := verdict(inventory.SelectionSelected, ReasonOwnOSD, "holds an OSD of this cluster, which is taken back")
	if twins := d.twins(); len(twins) > 0 {
		return duplicate(v, nil, d.disk, twins)
	}
	return v
}

// resting words the verdict about a disk of a cluster that takes no disks.
func (d decision) resting(cluster *api.CephCluster, label *inventory.OSDLabel,
	verdict func(inventory.SelectionState, string, string) *inventory.DiskSelection,
) *inventory.DiskSelection {
	holds := fmt.Sprintf("holds %s of CephCluster %s", osdName(label), cluster.Name)
	if !fleet.Finished(d.disk) {
		holds = fmt.Sprintf("holds an unfinished OSD of CephCluster %s", cluster.Name)
	}
	confirmed := cluster.Spec.CleanupPolicy.Confirmation == api.DestroyDataConfirmation
	switch {
	case cluster.Spec.External.Enable:
		return verdict(inventory.SelectionNotSelected, ReasonForeignOSD, holds+", which is external")
	case cluster.DeletionTimestamp.IsZero():
		return verdict(inventory.SelectionNotSelected, ReasonCleanup, holds+", whose cleanupPolicy is confirmed: it is not taken back")
	case confirmed:
		return verdict(inventory.SelectionNotSelected, ReasonCleanup, holds+", which is being removed; the confirmed cleanupPolicy has the disk wiped")
	default:
		return verdict(inventory.SelectionNotSelected, api.ReasonClusterDeleting, holds+", which is being removed; the data is kept")
	}
}

// twins are the other disks that bear the label of this one.
func (d decision) twins() []*inventory.CephDisk {
	label := d.disk.Status.OSD
	if label == nil || !fleet.Bears(d.disk, label.UUID) {
		return nil
	}
	var others []*inventory.CephDisk
	for _, other := range fleet.Bearers(label.UUID, d.Disks) {
		if other.Name != d.disk.Name {
			others = append(others, other)
		}
	}
	return others
}

// duplicate turns a verdict into the refusal of a disk that has twins. An OSD
// with a record stays on the disk that it is on.
func duplicate(verdict *inventory.DiskSelection, osd *inventory.CephOSD, disk *inventory.CephDisk, twins []*inventory.CephDisk) *inventory.DiskSelection {
	verdict.State, verdict.Reason = inventory.SelectionRefused, ReasonDuplicate
	names := make([]string, len(twins))
	for i, twin := range twins {
		names[i] = fmt.Sprintf("%s on node %s (CephDisk %s)", twin.Status.Device, twin.Status.Node, twin.Name)
	}
	label := disk.Status.OSD
	verdict.Message = fmt.Sprintf("%s on node %s and %s both hold %s with uuid %s: one is a copy of the other, or another path to it; take one away, or delete the CephDisk of one that is gone for good",
		disk.Status.Device, disk.Status.Node, strings.Join(names, ", "), osdName(label), label.UUID)
	if osd != nil {
		verdict.Message += "; the OSD stays on CephDisk " + osd.Spec.Disk.Name
	}
	return verdict
}

func osdName(label *inventory.OSDLabel) string {
	if label.OSDID == nil {
		return "an OSD"
	}
	return fmt.Sprintf("osd.%d", *label.OSDID)
}

// followed returns the OSD whose place the disk is, or nil. An OSD goes with
// its disk only while no other disk bears its label, so that it never leaves one
// that is still there and never moves to and fro between copies.
func followed(disk *inventory.CephDisk, seen Observed) *inventory.CephOSD {
	osd := fleet.OnDisk(disk, seen.OSDs)
	if osd == nil || disk.Status.Probe == nil || disk.Status.Probe.State == inventory.ProbeMissing {
		return nil
	}
	if disk.Name == osd.Spec.Disk.Name {
		return osd
	}
	if bearers := fleet.Bearers(osd.Spec.UUID, seen.Disks); len(bearers) != 1 || bearers[0].Name != disk.Name {
		return nil
	}
	return osd
}
