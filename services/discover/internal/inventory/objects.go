package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// The limits of the API.
const (
	maxLinks      = 64
	maxSignatures = 64
	maxMessage    = 2048
	maxLabel      = 63
)

// NodeLabel returns the label value under which the CephDisks of a node are
// listed: its name, or a hash of a name that is too long for a label.
func NodeLabel(node string) string {
	if len(node) <= maxLabel {
		return node
	}
	return disk.ObjectName("node", node)
}

// object is the CephDisk without its status.
func object(name, node string, owners []metav1.OwnerReference) *inventory.CephDisk {
	return &inventory.CephDisk{ObjectMeta: metav1.ObjectMeta{
		Name:            name,
		Labels:          map[string]string{names.LabelHostname: NodeLabel(node)},
		OwnerReferences: owners,
	}}
}

// owner makes the CephDisks of a node vanish with it.
func owner(node *corev1.Node) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}
}

// status is the part of a disk's status that discover owns.
func status(node string, found scan.Disk) inventory.CephDiskStatus {
	facts := found.Facts
	out := inventory.CephDiskStatus{
		Node: node, Device: facts.KernelName, Path: "/dev/" + strings.ReplaceAll(facts.KernelName, "!", "/"),
		StableID: facts.StableID(), Links: found.Links[:min(len(found.Links), maxLinks)],
		WWN: facts.WWN, Serial: facts.Serial, Model: facts.Model, Vendor: facts.Vendor,
		Size: inventory.FormatSize(facts.SizeBytes), SizeBytes: facts.SizeBytes, SectorSizeBytes: int32(facts.LogicalSector),
		Type: diskType(facts), Rotational: ptr.To(facts.Rotational), ReadOnly: ptr.To(facts.ReadOnly), Removable: ptr.To(facts.Removable),
		Partitions: partitions(facts), Holders: holders(facts), Mountpoints: mountpoints(facts),
		Signatures: signatures(found),
		Probe: &inventory.DiskProbe{
			State: inventory.ProbeState(found.Verdict.State), Reason: found.Verdict.Reason, Message: limit(found.Verdict.Message),
		},
	}
	if label, ok := found.Label(); ok {
		out.OSD = &inventory.OSDLabel{FSID: label.FSID(), UUID: label.OSDUUID, Description: label.Description}
		if id, ok := label.OSDID(); ok {
			out.OSD.OSDID = ptr.To(int32(id))
		}
	}
	return out
}

// missing is the status of a disk that was there: what it was, but no longer
// where, since another disk may have taken its device name.
func missing(was inventory.CephDiskStatus) inventory.CephDiskStatus {
	out := *was.DeepCopy()
	out.Selection = nil
	if was.Probe == nil || was.Probe.State != inventory.ProbeMissing {
		out.Probe = &inventory.DiskProbe{
			State: inventory.ProbeMissing, Reason: "DiskGone",
			Message: fmt.Sprintf("was %s; the kernel of node %s no longer shows it: pulled out, failed, or its controller is gone", was.Device, was.Node),
		}
	}
	out.Device, out.Path = "", ""
	out.Links, out.Holders, out.Mountpoints = nil, nil, nil
	return out
}

func diskType(facts disk.Facts) inventory.DiskType {
	switch {
	case facts.Kind == disk.Loop:
		return inventory.DiskTypeLoop
	case strings.HasPrefix(facts.KernelName, "nvme"):
		return inventory.DiskTypeNVMe
	case facts.Rotational:
		return inventory.DiskTypeHDD
	default:
		return inventory.DiskTypeSSD
	}
}

func partitions(facts disk.Facts) []inventory.Partition {
	var out []inventory.Partition
	for _, partition := range facts.Partitions {
		out = append(out, inventory.Partition{
			Device: partition.KernelName, SizeBytes: partition.SizeBytes, Label: partition.Label, PartUUID: partition.UUID,
		})
	}
	return out
}

func holders(facts disk.Facts) []string {
	var out []string
	for _, holder := range facts.Holders {
		out = append(out, holder.String())
	}
	for _, partition := range facts.Partitions {
		for _, holder := range partition.Holders {
			out = append(out, holder.String())
		}
	}
	return set(out)
}

// mountpoints names one place for the disk and for each partition. Bind mounts
// of pods come and go; naming them would write to the API at every look.
func mountpoints(facts disk.Facts) []string {
	var out []string
	if len(facts.Mounts) > 0 {
		out = append(out, disk.Shortest(facts.Mounts))
	}
	for _, partition := range facts.Partitions {
		if len(partition.Mounts) > 0 {
			out = append(out, disk.Shortest(partition.Mounts))
		}
	}
	return set(out)
}

func set(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

func signatures(found scan.Disk) []inventory.Signature {
	var out []inventory.Signature
	add := func(device string, all []probe.Signature) {
		for _, signature := range all {
			out = append(out, inventory.Signature{
				Type: signature.Type, Offset: signature.Offset, Device: device, UUID: signature.UUID, Label: signature.Label,
			})
		}
	}
	add("", found.Report.Signatures)
	for device, inside := range found.Contents {
		add(device, inside)
	}
	slices.SortFunc(out, func(a, b inventory.Signature) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Type, b.Type))
	})
	return out[:min(len(out), maxSignatures)]
}

func limit(message string) string {
	return message[:min(len(message), maxMessage)]
}
