package selection

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

const clusterFSID = "11111111-2222-3333-4444-555555555555"

func someCluster(change func(*api.CephCluster)) api.CephCluster {
	c := api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "test"},
		Spec:       api.ClusterSpec{Storage: api.StorageScopeSpec{UseAllNodes: true, Selection: api.Selection{UseAllDevices: ptr.To(true)}}},
		Status:     api.ClusterStatus{Connection: &api.Connection{FSID: clusterFSID}},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func someNode(name string, change func(*corev1.Node)) corev1.Node {
	n := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	if change != nil {
		change(&n)
	}
	return n
}

func someDisk(node, device string, change func(*inventory.CephDiskStatus)) inventory.CephDisk {
	d := inventory.CephDisk{
		ObjectMeta: metav1.ObjectMeta{Name: node + "-" + device},
		Status: inventory.CephDiskStatus{
			Node: node, Device: device, Path: "/dev/" + device, StableID: "wwn:" + node + device, Type: inventory.DiskTypeSSD,
			Links: []string{"/dev/disk/by-id/wwn-" + device, "/dev/disk/by-path/pci-0-" + device},
			Probe: &inventory.DiskProbe{State: inventory.ProbeAvailable, Reason: "Blank"},
		},
	}
	if change != nil {
		change(&d.Status)
	}
	return d
}

func storage(change func(*api.StorageScopeSpec)) func(*api.CephCluster) {
	return func(c *api.CephCluster) {
		c.Spec.Storage = api.StorageScopeSpec{UseAllNodes: true}
		change(&c.Spec.Storage)
	}
}

// outcome is a verdict in short: its state and reason.
func outcome(s *inventory.DiskSelection) string {
	if s == nil {
		return "-"
	}
	return string(s.State) + " " + s.Reason
}

func TestDecideAboutOneBlankDisk(t *testing.T) {
	for name, test := range map[string]struct {
		cluster func(*api.CephCluster)
		node    func(*corev1.Node)
		want    string
	}{
		"takes all devices":               {nil, nil, "Selected UseAllDevices"},
		"takes nothing without a request": {storage(func(*api.StorageScopeSpec) {}), nil, "NotSelected NothingSelected"},
		"useAllDevices false is nothing": {storage(func(s *api.StorageScopeSpec) { s.UseAllDevices = ptr.To(false) }), nil,
			"NotSelected NothingSelected"},
		"a filter that matches": {storage(func(s *api.StorageScopeSpec) { s.DeviceFilter = "^sd[b-c]$" }), nil, "Selected DeviceFilter"},
		"a filter that does not": {storage(func(s *api.StorageScopeSpec) { s.DeviceFilter = "^nvme" }), nil,
			"NotSelected DeviceFilter"},
		"a filter comes before useAllDevices": {storage(func(s *api.StorageScopeSpec) { s.DeviceFilter = "^nvme"; s.UseAllDevices = ptr.To(true) }), nil,
			"NotSelected DeviceFilter"},
		"a path filter on links": {storage(func(s *api.StorageScopeSpec) { s.DevicePathFilter = "^/dev/disk/by-path/pci-.*" }), nil,
			"Selected DevicePathFilter"},
		"a device filter comes before a path filter": {storage(func(s *api.StorageScopeSpec) { s.DevicePathFilter = "by-path"; s.DeviceFilter = "^sda$" }), nil,
			"NotSelected DeviceFilter"},
		"named by kernel name": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sdb"}} }), nil, "Selected Devices"},
		"named by path":        {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{FullPath: "/dev/disk/by-id/wwn-sdb"}} }), nil, "Selected Devices"},
		"named by a link without /dev": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "disk/by-id/wwn-sdb"}} }), nil,
			"Selected Devices"},
		"another one is named": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sda"}}; s.DeviceFilter = "sdb" }), nil,
			"NotSelected Devices"},
		"a filter that is no expression": {storage(func(s *api.StorageScopeSpec) { s.DeviceFilter = "(" }), nil, "NotSelected InvalidSpec"},
		"its node is listed": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllNodes = false
			s.UseAllDevices = ptr.To(true)
			s.Nodes = []api.Node{{Name: "n1"}}
		}), nil, "Selected UseAllDevices"},
		"its node is not listed": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllNodes = false
			s.UseAllDevices = ptr.To(true)
			s.Nodes = []api.Node{{Name: "n2"}}
		}), nil,
			"NotSelected NodeNotListed"},
		"the node's selection comes before the cluster's": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllNodes, s.UseAllDevices = false, ptr.To(true)
			s.Nodes = []api.Node{{Name: "n1", Selection: api.Selection{DeviceFilter: "^nvme"}}}
		}), nil, "NotSelected DeviceFilter"},
		"useAllNodes ignores nodes": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllDevices = ptr.To(true)
			s.Nodes = []api.Node{{Name: "n1", Selection: api.Selection{DeviceFilter: "^nvme"}}}
		}), nil, "Selected UseAllDevices"},
		"encryption is not there yet": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllDevices, s.Config = ptr.To(true), api.OSDConfig{"encryptedDevice": "true"}
		}), nil, "Refused ConfigUnsupported"},
		"a device's config comes before the cluster's": {storage(func(s *api.StorageScopeSpec) {
			s.Config = api.OSDConfig{"encryptedDevice": "true"}
			s.Devices = []api.Device{{Name: "sdb", Config: api.OSDConfig{"encryptedDevice": "false"}}}
		}), nil, "Selected Devices"},
		"one OSD per device is what we do": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllDevices, s.Config = ptr.To(true), api.OSDConfig{"osdsPerDevice": "1"}
		}), nil,
			"Selected UseAllDevices"},
		"its node is cordoned": {nil, func(n *corev1.Node) { n.Spec.Unschedulable = true }, "NotSelected NodeUnschedulable"},
		"its node is not ready": {nil, func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown },
			"NotSelected NodeNotReady"},
		"scheduleAlways takes it all the same": {storage(func(s *api.StorageScopeSpec) { s.UseAllDevices, s.ScheduleAlways = ptr.To(true), true }),
			func(n *corev1.Node) { n.Spec.Unschedulable = true }, "Selected UseAllDevices"},
		"its node is tainted": {nil, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		},
			"NotSelected NodeTainted"},
		"the taint is tolerated": {func(c *api.CephCluster) {
			c.Spec.Placement = api.PlacementSpec{api.KeyOSD: {Tolerations: []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}}}
		}, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}, "Selected UseAllDevices"},
		"placement is elsewhere": {func(c *api.CephCluster) { c.Spec.Placement = api.PlacementSpec{api.KeyAll: onlyWith("storage")} }, nil, "NotSelected NodeAffinity"},
		"placement of all may be left out": {func(c *api.CephCluster) {
			c.Spec.Placement = api.PlacementSpec{api.KeyAll: onlyWith("storage")}
			c.Spec.Storage.OnlyApplyOSDPlacement = true
		}, nil, "Selected UseAllDevices"},
		"a deleted cluster takes nothing": {func(c *api.CephCluster) { now := metav1.Now(); c.DeletionTimestamp = &now }, nil, "NotSelected CleanupConfirmed"},
		"a confirmed cleanup takes nothing": {func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation }, nil,
			"NotSelected CleanupConfirmed"},
		"an external cluster takes nothing": {func(c *api.CephCluster) { c.Spec.External.Enable = true }, nil, "NotSelected CleanupConfirmed"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := someDisk("n1", "sdb", nil)
			plan := Decide(Observed{Clusters: []api.CephCluster{someCluster(test.cluster)}, Nodes: []corev1.Node{someNode("n1", test.node)}, Disks: []inventory.CephDisk{disk}})
			verdict := plan.Verdicts[disk.Name]
			if got := outcome(verdict); got != test.want {
				t.Errorf("got %s (%s), want %s", got, verdict.Message, test.want)
			}
			if verdict.Message == "" {
				t.Error("a verdict without a word")
			}
			if selected := strings.HasPrefix(test.want, "Selected"); selected != (len(plan.Intents) == 1) {
				t.Errorf("%d intents", len(plan.Intents))
			}
		})
	}
}

func onlyWith(label string) api.Placement {
	return api.Placement{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: label, Operator: corev1.NodeSelectorOpExists}}}},
	}}}
}

func TestDecideAboutDisksThatAreNotBlank(t *testing.T) {
	id := ptr.To(int32(3))
	osd := func(change func(*inventory.OSDLabel)) func(*inventory.CephDiskStatus) {
		return func(s *inventory.CephDiskStatus) {
			s.OSD = &inventory.OSDLabel{FSID: clusterFSID, UUID: "u", OSDID: id, Description: "main"}
			s.Probe = &inventory.DiskProbe{State: inventory.ProbeOSD, Reason: "BlueStoreOSD", Message: "holds osd.3"}
			change(s.OSD)
		}
	}
	named := storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sdb"}} })
	for name, test := range map[string]struct {
		cluster func(*api.CephCluster)
		disk    func(*inventory.CephDiskStatus)
		want    string
		intents int
	}{
		"an OSD of ours without a record is taken back": {nil, osd(func(*inventory.OSDLabel) {}), "Selected OwnOSD", 1},
		"even if the spec selects nothing":              {storage(func(*api.StorageScopeSpec) {}), osd(func(*inventory.OSDLabel) {}), "Selected OwnOSD", 1},
		"an OSD of another cluster is refused":          {nil, osd(func(l *inventory.OSDLabel) { l.FSID = "other" }), "Refused ForeignOSD", 0},
		"and of no interest if nobody asked for it":     {storage(func(*api.StorageScopeSpec) {}), osd(func(l *inventory.OSDLabel) { l.FSID = "other" }), "-", 0},
		"an unfinished OSD of ours is refused": {nil, func(s *inventory.CephDiskStatus) {
			osd(func(*inventory.OSDLabel) {})(s)
			s.Probe.Reason = "UnfinishedOSD"
		}, "Refused UnfinishedOSD", 0},
		"a db device of ours is no OSD": {nil, osd(func(l *inventory.OSDLabel) { l.Description = "bluefs db" }), "Refused PartOfOSD", 0},
		"a mounted disk is not spoken of": {nil, func(s *inventory.CephDiskStatus) {
			s.Probe = &inventory.DiskProbe{State: inventory.ProbeInUse, Reason: "Mounted"}
		}, "-", 0},
		"unless the spec names it": {named, func(s *inventory.CephDiskStatus) {
			s.Probe = &inventory.DiskProbe{State: inventory.ProbeInUse, Reason: "Mounted", Message: "mounted at /"}
		}, "Refused Mounted", 0},
		"a missing disk is not spoken of": {named, func(s *inventory.CephDiskStatus) {
			s.Probe = &inventory.DiskProbe{State: inventory.ProbeMissing}
		}, "-", 0},
		"a disk that was not probed yet is waited for": {nil, func(s *inventory.CephDiskStatus) { s.Probe = nil }, "-", 0},
	} {
		t.Run(name, func(t *testing.T) {
			disk := someDisk("n1", "sdb", test.disk)
			plan := Decide(Observed{Clusters: []api.CephCluster{someCluster(test.cluster)}, Nodes: []corev1.Node{someNode("n1", nil)}, Disks: []inventory.CephDisk{disk}})
			if got := outcome(plan.Verdicts[disk.Name]); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if len(plan.Intents) != test.intents {
				t.Errorf("%d intents, want %d", len(plan.Intents), test.intents)
			}
		})
	}
}

func TestADiskGoesToTheOldestClusterThatSelectsIt(t *testing.T) {
	young := someCluster(func(c *api.CephCluster) {
		c.Name, c.Namespace = "young", "other"
		c.CreationTimestamp = metav1.Unix(2000, 0)
	})
	old := someCluster(func(c *api.CephCluster) { c.Name = "old"; c.CreationTimestamp = metav1.Unix(1000, 0) })
	disk := someDisk("n1", "sdb", nil)
	seen := Observed{Clusters: []api.CephCluster{young, old}, Nodes: []corev1.Node{someNode("n1", nil)}, Disks: []inventory.CephDisk{disk}}
	if got := Decide(seen).Verdicts[disk.Name].Cluster.Name; got != "old" {
		t.Errorf("it went to %s", got)
	}
	seen.Clusters[1].Spec.Storage.UseAllDevices = nil
	if got := Decide(seen).Verdicts[disk.Name].Cluster.Name; got != "young" {
		t.Errorf("it went to %s", got)
	}
}

func TestADiskWithACephOSDKeepsItWhateverTheSpecSays(t *testing.T) {
	disk := someDisk("n1", "sdb", nil)
	record := inventory.CephOSD{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: disk.Name},
		Spec:       inventory.CephOSDSpec{ClusterName: "test", UUID: "u", ID: ptr.To(int32(1)), Disk: inventory.DiskReference{Name: disk.Name, StableID: disk.Status.StableID}},
	}
	for reason, want := range map[string]string{
		"":                     "Preparing OSDsPreparing",
		fleet.ReasonPrepared:   "Prepared OwnOSD",
		fleet.ReasonRefused:    "Refused DiskRefused",
		fleet.ReasonFailed:     "Failed PreparationFailed",
		api.ReasonOSDsStarting: "Preparing OSDsPreparing",
	} {
		record.Status.Conditions = nil
		if reason != "" {
			status := metav1.ConditionFalse
			if reason == fleet.ReasonPrepared {
				status = metav1.ConditionTrue
			}
			record.Status.Conditions = []api.Condition{{Type: fleet.ConditionPrepared, Status: status, Reason: reason}}
		}
		seen := Observed{Clusters: []api.CephCluster{someCluster(storage(func(*api.StorageScopeSpec) {}))}, Disks: []inventory.CephDisk{disk}, OSDs: []inventory.CephOSD{record}}
		plan := Decide(seen)
		if got := outcome(plan.Verdicts[disk.Name]); got != want || len(plan.Intents) != 0 {
			t.Errorf("%q: got %s and %d intents, want %s", reason, got, len(plan.Intents), want)
		}
	}
}

func TestAMovedDiskIsFoundByItsLabel(t *testing.T) {
	record := inventory.CephOSD{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "n1-sdb"}, Spec: inventory.CephOSDSpec{
		ClusterName: "test", UUID: "u", ID: ptr.To(int32(1)), Node: "n1", Disk: inventory.DiskReference{Name: "n1-sdb", StableID: "wwn:n1sdb"}}}
	disk := someDisk("n2", "sdx", func(s *inventory.CephDiskStatus) { s.OSD = &inventory.OSDLabel{FSID: clusterFSID, UUID: "u"} })
	if got := fleet.OnDisk(&disk, []inventory.CephOSD{record}); got == nil {
		t.Fatal("not found")
	}
	node := someNode("n2", func(n *corev1.Node) { n.Labels["topology.rook.io/rack"] = "r2" })
	now := moved(&record, &disk, &node)
	want := inventory.CephOSDSpec{
		ClusterName: "test", UUID: "u", Node: "n2", Disk: inventory.DiskReference{Name: "n2-sdx", StableID: "wwn:n2sdx"},
		CrushLocation: []inventory.CrushBucket{{Type: "root", Name: "default"}, {Type: "rack", Name: "r2"}, {Type: "host", Name: "n2"}},
	}
	if now == nil {
		t.Fatal("its place is not followed")
	}
	if diff := cmp.Diff(want, now.Spec); diff != "" {
		t.Error(diff)
	}
	if moved(now, &disk, &node) != nil {
		t.Error("what did not move is written again")
	}
}

func TestProblemsNameWhatToMend(t *testing.T) {
	for name, test := range map[string]struct {
		cluster func(*api.CephCluster)
		disks   []inventory.CephDisk
		want    []Problem
	}{
		"nothing is wrong": {nil, nil, nil},
		"a filter of a node that is no expression": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllNodes, s.Nodes = false, []api.Node{{Name: "n1", Selection: api.Selection{DeviceFilter: "("}}}
		}), nil, []Problem{{"InvalidSpec", "spec.storage.nodes[n1].deviceFilter is no regular expression: error parsing regexp: missing closing ): `(`"}}},
		"a device that does not exist": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sdz"}, {Name: "sdb"}} }),
			[]inventory.CephDisk{someDisk("n1", "sdb", nil)},
			[]Problem{{"DeviceMissing", "spec.storage.devices names sdz, which node n1 does not have; correct the name or remove it"}}},
		"a node whose disks are not known yet": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sdz"}} }), nil, nil},
		"a node that does not exist": {storage(func(s *api.StorageScopeSpec) { s.UseAllNodes, s.Nodes = false, []api.Node{{Name: "n9"}} }), nil,
			[]Problem{{"NodeMissing", "spec.storage.nodes names n9, but no node has the label kubernetes.io/hostname=n9; correct the name or remove it"}}},
		"a named device with data": {storage(func(s *api.StorageScopeSpec) { s.Devices = []api.Device{{Name: "sdb"}} }),
			[]inventory.CephDisk{someDisk("n1", "sdb", func(s *inventory.CephDiskStatus) {
				s.Probe = &inventory.DiskProbe{State: inventory.ProbeRejected, Reason: "Filesystem", Message: "has ext4 filesystem at offset 1080"}
			})},
			[]Problem{{"DeviceRefused", "sdb on node n1: named by spec.storage.devices, but it must not be touched: has ext4 filesystem at offset 1080; name another device"}}},
		"what is not supported": {storage(func(s *api.StorageScopeSpec) {
			s.UseAllDevices = ptr.To(true)
			s.Config = api.OSDConfig{"metadataDevice": "nvme0n1", "osdsPerDevice": "2", "primaryAffinity": "0.5"}
			s.StorageClassDeviceSets = []api.StorageClassDeviceSet{{Name: "set1"}}
		}), nil, []Problem{{"UnsupportedFields", "spec.storage.config.metadataDevice, spec.storage.config.osdsPerDevice, spec.storage.config.primaryAffinity, spec.storage.storageClassDeviceSets is not supported yet; remove it"}}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := someCluster(test.cluster)
			got := Problems(&cluster, Observed{Clusters: []api.CephCluster{cluster}, Nodes: []corev1.Node{someNode("n1", nil)}, Disks: test.disks})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordsDependOnTheDiskAlone(t *testing.T) {
	cluster, disk := someCluster(nil), someDisk("n1.example.com", "sdb", nil)
	node := someNode("n1.example.com", func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = "z.1" })
	intent := Intent{Cluster: &cluster, Disk: &disk, Node: &node, Config: api.OSDConfig{"deviceClass": "fast", "initialWeight": "0.5", "primaryAffinity": "0.2"}}
	want := inventory.CephOSDSpec{
		ClusterName: "test", UUID: "u1", Node: "n1.example.com", DeviceClass: "fast", InitialWeight: "0.5", PrimaryAffinity: "0.2", Store: "bluestore",
		Disk:          inventory.DiskReference{Name: disk.Name, StableID: disk.Status.StableID},
		CrushLocation: []inventory.CrushBucket{{Type: "root", Name: "default"}, {Type: "zone", Name: "z-1"}, {Type: "host", Name: "n1-example-com"}},
	}
	first, second := record(intent, "u1"), record(intent, "u2")
	if diff := cmp.Diff(want, first.Spec); diff != "" {
		t.Error(diff)
	}
	if first.Name != second.Name || first.Name != disk.Name {
		t.Errorf("names %s and %s", first.Name, second.Name)
	}
}

func TestDeviceClass(t *testing.T) {
	cluster := someCluster(nil)
	for want, change := range map[string]func(*Intent){
		"fast": func(i *Intent) {
			i.Config = api.OSDConfig{"deviceClass": "fast"}
			i.Node.Labels[LabelDeviceClass] = "slow"
		},
		"slow": func(i *Intent) { i.Node.Labels[LabelDeviceClass] = "slow" },
		"nvme": func(i *Intent) { i.Disk.Status.Type = inventory.DiskTypeNVMe },
		"hdd":  func(i *Intent) { i.Disk.Status.Type = inventory.DiskTypeLoop; i.Disk.Status.Rotational = ptr.To(true) },
		"ssd":  func(i *Intent) { i.Disk.Status.Type = inventory.DiskTypeLoop; i.Disk.Status.Rotational = ptr.To(false) },
	} {
		disk, node := someDisk("n1", "sdb", nil), someNode("n1", nil)
		intent := Intent{Cluster: &cluster, Disk: &disk, Node: &node}
		change(&intent)
		if got := deviceClass(intent); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
