package selection

import (
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// LabelDeviceClass is the node label that gives the class of a node's devices.
const LabelDeviceClass = "osd.rook.io/device-class"

// record returns the CephOSD of an intent. Its name is the disk's, so the same
// intent carried out twice cannot make two OSDs; uuid is that of a new OSD.
func record(intent Intent, uuid string) *inventory.CephOSD {
	osd := &inventory.CephOSD{
		ObjectMeta: metav1.ObjectMeta{Namespace: intent.Cluster.Namespace, Name: intent.Disk.Name},
		Spec: inventory.CephOSDSpec{
			ClusterName:     intent.Cluster.Name,
			UUID:            uuid,
			Disk:            inventory.DiskReference{Name: intent.Disk.Name, StableID: intent.Disk.Status.StableID},
			Node:            intent.Disk.Status.Node,
			CrushLocation:   Location(intent.Node, intent.Disk.Status.Node),
			InitialWeight:   intent.Config[api.OSDConfigInitialWeight],
			PrimaryAffinity: intent.Config[api.OSDConfigPrimaryAffinity],
			Store:           api.StoreTypeBlueStore,
		},
	}
	if intent.Adopt != nil {
		// The class of an existing OSD is Ceph's to know.
		osd.Spec.UUID, osd.Spec.ID = intent.Adopt.UUID, intent.Adopt.OSDID
		return osd
	}
	osd.Spec.DeviceClass = deviceClass(intent)
	return osd
}

// deviceClass is what the spec says, else the node's label, else the kind of
// the disk.
func deviceClass(intent Intent) string {
	if class := intent.Config[api.OSDConfigDeviceClass]; class != "" {
		return class
	}
	if intent.Node != nil && intent.Node.Labels[LabelDeviceClass] != "" {
		return intent.Node.Labels[LabelDeviceClass]
	}
	status := &intent.Disk.Status
	switch {
	case status.Type == inventory.DiskTypeHDD, status.Type == inventory.DiskTypeSSD, status.Type == inventory.DiskTypeNVMe:
		return string(status.Type)
	case status.Rotational != nil && *status.Rotational:
		return string(inventory.DiskTypeHDD)
	default:
		return string(inventory.DiskTypeSSD)
	}
}

// topology lists the node labels that make up a CRUSH location, from the root
// downwards.
func topology() []struct{ label, bucket string } {
	return []struct{ label, bucket string }{
		{corev1.LabelTopologyRegion, "region"},
		{corev1.LabelTopologyZone, "zone"},
		{"topology.rook.io/datacenter", "datacenter"},
		{"topology.rook.io/room", "room"},
		{"topology.rook.io/pod", "pod"},
		{"topology.rook.io/pdu", "pdu"},
		{"topology.rook.io/row", "row"},
		{"topology.rook.io/rack", "rack"},
		{"topology.rook.io/chassis", "chassis"},
	}
}

// Location returns where the OSDs of a node sit in CRUSH. CRUSH names hold no
// dots, so a host name's become dashes.
func Location(node *corev1.Node, name string) []inventory.CrushBucket {
	location := []inventory.CrushBucket{{Type: "root", Name: "default"}}
	if node != nil {
		name = Hostname(node)
		for _, level := range topology() {
			if value := node.Labels[level.label]; value != "" {
				location = append(location, inventory.CrushBucket{Type: level.bucket, Name: crushName(value)})
			}
		}
	}
	return append(location, inventory.CrushBucket{Type: "host", Name: crushName(name)})
}

func crushName(value string) string { return strings.ReplaceAll(value, ".", "-") }

// moved returns the CephOSD with today's place of its disk and node, or nil
// when nothing changed. Its id stays out: it has another writer.
func moved(osd *inventory.CephOSD, disk *inventory.CephDisk, node *corev1.Node) *inventory.CephOSD {
	now := osd.DeepCopy()
	now.Spec.Disk = inventory.DiskReference{Name: disk.Name, StableID: disk.Status.StableID}
	now.Spec.Node = disk.Status.Node
	if node != nil {
		now.Spec.CrushLocation = Location(node, disk.Status.Node)
	}
	if now.Spec.Disk == osd.Spec.Disk && now.Spec.Node == osd.Spec.Node && sameLocation(now.Spec.CrushLocation, osd.Spec.CrushLocation) {
		return nil
	}
	now.Spec.ID = nil
	return now
}

// sameLocation compares regardless of order, which a keyed list does not keep.
func sameLocation(a, b []inventory.CrushBucket) bool {
	if len(a) != len(b) {
		return false
	}
	key := func(list []inventory.CrushBucket) []string {
		keys := make([]string, len(list))
		for i, bucket := range list {
			keys[i] = bucket.Type + "=" + bucket.Name
		}
		sort.Strings(keys)
		return keys
	}
	return strings.Join(key(a), " ") == strings.Join(key(b), " ")
}
