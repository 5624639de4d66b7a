package selection

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// Reasons of problems that only an edit or a hand on the machine mends.
const (
	ReasonDeviceMissing = "DeviceMissing"
	ReasonDeviceRefused = "DeviceRefused"
)

// Problem is something in the spec that cannot be done as written.
type Problem struct{ Reason, Message string }

// Problems returns what a person has to mend in a cluster's storage section,
// the gravest first: what is malformed, what is not supported, nodes and
// devices that do not exist, named devices that must not be touched, copies of
// disks of its OSDs.
func Problems(cluster *api.CephCluster, seen Observed) []Problem {
	storage := &cluster.Spec.Storage
	found := append(malformed(storage), unsupportedParts(storage)...)
	found = append(found, missingNodes(storage, seen.Nodes)...)
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		if admit(cluster, node.Name, node) == (refusal{}) {
			found = append(found, missingDevices(scopeOf(storage, Hostname(node)), node, seen.Disks)...)
		}
	}
	found = append(found, refused(cluster, seen)...)
	return append(found, copies(cluster, seen)...)
}

func malformed(storage *api.StorageScopeSpec) []Problem {
	var found []Problem
	check := func(field, expression string) {
		if _, err := regexp.Compile(expression); err != nil {
			found = append(found, Problem{api.ReasonInvalidSpec, fmt.Sprintf("%s is no regular expression: %v", field, err)})
		}
	}
	check("spec.storage.deviceFilter", storage.DeviceFilter)
	check("spec.storage.devicePathFilter", storage.DevicePathFilter)
	for _, node := range storage.Nodes {
		check(fmt.Sprintf("spec.storage.nodes[%s].deviceFilter", node.Name), node.DeviceFilter)
		check(fmt.Sprintf("spec.storage.nodes[%s].devicePathFilter", node.Name), node.DevicePathFilter)
	}
	return found
}

// unsupportedParts names the parts of the section that nobody acts on yet.
func unsupportedParts(storage *api.StorageScopeSpec) []Problem {
	var fields []string
	add := func(field string, set bool) {
		if set {
			fields = append(fields, field)
		}
	}
	config := func(prefix string, values api.OSDConfig) {
		for _, key := range append(unsupported(values), ignored(values)...) {
			fields = append(fields, prefix+key)
		}
	}
	selection := func(prefix string, s api.Selection) {
		add(prefix+"volumeClaimTemplates", len(s.VolumeClaimTemplates) > 0)
		for _, device := range s.Devices {
			config(prefix+"devices[].config.", device.Config)
		}
	}
	add("spec.storage.storageClassDeviceSets", len(storage.StorageClassDeviceSets) > 0)
	add("spec.storage.migration", storage.Migration.Confirmation != "")
	add("spec.storage.store.type", storage.Store.Type == api.StoreTypeBlueStoreRDR)
	add("spec.storage.store.updateStore", storage.Store.UpdateStore != "")
	config("spec.storage.config.", storage.Config)
	selection("spec.storage.", storage.Selection)
	for _, node := range storage.Nodes {
		config("spec.storage.nodes[].config.", node.Config)
		selection("spec.storage.nodes[].", node.Selection)
	}
	if len(fields) == 0 {
		return nil
	}
	slices.Sort(fields)
	message := strings.Join(slices.Compact(fields), ", ") + " is not supported yet; remove it"
	return []Problem{{api.ReasonUnsupportedFields, message}}
}

func missingNodes(storage *api.StorageScopeSpec, nodes []corev1.Node) []Problem {
	if storage.UseAllNodes {
		return nil
	}
	var found []Problem
	for _, wanted := range storage.Nodes {
		if !slices.ContainsFunc(nodes, func(n corev1.Node) bool { return Hostname(&n) == wanted.Name }) {
			found = append(found, Problem{ReasonNodeMissing,
				fmt.Sprintf("spec.storage.nodes names %s, but no node has the label kubernetes.io/hostname=%s; correct the name or remove it", wanted.Name, wanted.Name)})
		}
	}
	return found
}

// missingDevices is silent about a node of which discover has not reported
// anything: what is not known is not missing.
func missingDevices(s scope, node *corev1.Node, disks []inventory.CephDisk) []Problem {
	var local []*inventory.CephDisk
	for i := range disks {
		if disks[i].Status.Node == node.Name {
			local = append(local, &disks[i])
		}
	}
	if len(local) == 0 {
		return nil
	}
	var found []Problem
	for i := range s.devs.Devices {
		device := &s.devs.Devices[i]
		present := slices.ContainsFunc(local, func(d *inventory.CephDisk) bool {
			return means(device, d) && (d.Status.Probe == nil || d.Status.Probe.State != inventory.ProbeMissing)
		})
		if !present {
			found = append(found, Problem{ReasonDeviceMissing,
				fmt.Sprintf("%s.devices names %s, which node %s does not have; correct the name or remove it", s.field, display(device), node.Name)})
		}
	}
	return found
}

func display(device *api.Device) string {
	if device.FullPath != "" {
		return device.FullPath
	}
	return device.Name
}

// refused repeats the verdicts about devices that the spec names and that must
// not be touched.
func refused(cluster *api.CephCluster, seen Observed) []Problem {
	own := seen
	own.Clusters = []api.CephCluster{*cluster}
	var found []Problem
	for i := range seen.Disks {
		disk := &seen.Disks[i]
		if disk.Status.Probe == nil || (disk.Status.Probe.State != inventory.ProbeRejected && disk.Status.Probe.State != inventory.ProbeInUse) {
			continue
		}
		d := decision{Observed: own, clusters: own.Clusters, disk: disk, node: nodeOf(seen.Nodes, disk.Status.Node)}
		if verdict, _ := d.decide(); verdict != nil && verdict.State == inventory.SelectionRefused {
			found = append(found, Problem{ReasonDeviceRefused, fmt.Sprintf("%s on node %s: %s; name another device", disk.Status.Device, disk.Status.Node, verdict.Message)})
		}
	}
	return found
}

// copies names, once for each OSD, the disks that bear the same label.
func copies(cluster *api.CephCluster, seen Observed) []Problem {
	if cluster.Status.Connection == nil {
		return nil
	}
	var found []Problem
	for i := range seen.Disks {
		disk := &seen.Disks[i]
		d := decision{Observed: seen, disk: disk}
		twins := d.twins()
		if len(twins) == 0 || disk.Status.OSD.FSID != cluster.Status.Connection.FSID || twins[0].Name < disk.Name {
			continue
		}
		verdict := duplicate(&inventory.DiskSelection{}, fleet.OnDisk(disk, seen.OSDs), disk, twins)
		found = append(found, Problem{ReasonDuplicate, verdict.Message})
	}
	slices.SortFunc(found, func(a, b Problem) int { return strings.Compare(a.Message, b.Message) })
	return found
}
