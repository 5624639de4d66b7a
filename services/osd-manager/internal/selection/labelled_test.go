package selection

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/event"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// holding is a disk with the finished osd.3 of the cluster.
func holding(node, device string, change func(*inventory.CephDiskStatus)) inventory.CephDisk {
	return someDisk(node, device, func(s *inventory.CephDiskStatus) {
		s.OSD = &inventory.OSDLabel{FSID: clusterFSID, UUID: "u", OSDID: ptr.To(int32(3)), Description: "main"}
		s.Probe = &inventory.DiskProbe{State: inventory.ProbeOSD, Reason: "BlueStoreOSD", Message: "holds osd.3"}
		if change != nil {
			change(s)
		}
	})
}

func recordOn(disk inventory.CephDisk) inventory.CephOSD {
	return inventory.CephOSD{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "n1-sda"}, Spec: inventory.CephOSDSpec{
		ClusterName: "test", UUID: "u", ID: ptr.To(int32(3)), Node: disk.Status.Node,
		Disk: inventory.DiskReference{Name: disk.Name, StableID: disk.Status.StableID}}}
}

func gone(s *inventory.CephDiskStatus) { s.Probe.State = inventory.ProbeMissing }

func TestAnOSDFollowsItsDiskOnlyWhileNoOtherBearsItsLabel(t *testing.T) {
	first, second := holding("n1", "sda", nil), holding("n2", "sdb", nil)
	for name, test := range map[string]struct {
		disks []inventory.CephDisk
		on    inventory.CephDisk
		want  []string
	}{
		"it stays":                                    {[]inventory.CephDisk{first}, first, []string{"n1-sda"}},
		"it goes along":                               {[]inventory.CephDisk{holding("n1", "sda", gone), second}, first, []string{"n2-sdb"}},
		"a copy appears":                              {[]inventory.CephDisk{first, second}, first, []string{"n1-sda"}},
		"a copy appears first in the list":            {[]inventory.CephDisk{second, first}, first, []string{"n1-sda"}},
		"a copy of one that moved":                    {[]inventory.CephDisk{first, second}, second, []string{"n2-sdb"}},
		"two copies of one that is gone":              {[]inventory.CephDisk{first, second}, holding("n3", "sdc", nil), nil},
		"its db device bears the same uuid":           {[]inventory.CephDisk{first, holding("n1", "nvme0", func(s *inventory.CephDiskStatus) { s.OSD.Description = "bluefs db" })}, first, []string{"n1-sda"}},
		"a path of a multipath device is no disk":     {[]inventory.CephDisk{holding("n1", "sda", func(s *inventory.CephDiskStatus) { s.Holders = []string{"dm-0"} }), second}, holding("n1", "sdz", nil), []string{"n2-sdb"}},
		"a disk that was not probed yet is not taken": {[]inventory.CephDisk{holding("n2", "sdb", func(s *inventory.CephDiskStatus) { s.Probe = nil })}, first, nil},
	} {
		t.Run(name, func(t *testing.T) {
			seen := Observed{Disks: test.disks, OSDs: []inventory.CephOSD{recordOn(test.on)}}
			var got []string
			for i := range seen.Disks {
				if followed(&seen.Disks[i], seen) != nil {
					got = append(got, seen.Disks[i].Name)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCopiesOfADiskAreRefusedByName(t *testing.T) {
	first, second := holding("n1", "sda", nil), holding("n2", "sdb", nil)
	cluster := someCluster(nil)
	for name, osds := range map[string][]inventory.CephOSD{"with a record": {recordOn(first)}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			seen := Observed{Clusters: []api.CephCluster{cluster}, Nodes: []corev1.Node{someNode("n1", nil), someNode("n2", nil)},
				Disks: []inventory.CephDisk{first, second}, OSDs: osds}
			plan := Decide(seen)
			if len(plan.Intents) != 0 {
				t.Errorf("%d intents", len(plan.Intents))
			}
			for _, disk := range seen.Disks {
				verdict := plan.Verdicts[disk.Name]
				if outcome(verdict) != "Refused DuplicateIdentity" || verdict.OSDUUID != "u" || verdict.Cluster.Name != "test" {
					t.Errorf("disk %s: %+v", disk.Name, verdict)
				}
				for _, part := range []string{"sda on node n1", "sdb on node n2", "osd.3", "take one away"} {
					if !strings.Contains(verdict.Message, part) {
						t.Errorf("%q does not say %q", verdict.Message, part)
					}
				}
			}
			found := Problems(&cluster, seen)
			if len(found) != 1 || found[0].Reason != ReasonDuplicate {
				t.Errorf("problems: %+v", found)
			}
			seen.Disks[1].Status.Probe.State = inventory.ProbeMissing
			if got := outcome(Decide(seen).Verdicts[first.Name]); strings.HasPrefix(got, "Refused") {
				t.Errorf("after the copy went away: %s", got)
			}
			seen.Disks[1].Status.Probe.State = inventory.ProbeOSD
		})
	}
}

func TestNobodyIsToldToWipeAFinishedOSD(t *testing.T) {
	now := metav1.Now()
	deleted := func(c *api.CephCluster) { c.DeletionTimestamp = &now }
	confirmed := func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation }
	for name, test := range map[string]struct {
		cluster func(*api.CephCluster)
		disk    func(*inventory.CephDiskStatus)
		want    string
		message string
	}{
		"the cluster is being removed": {deleted, nil, "NotSelected ClusterDeleting", "holds osd.3 of CephCluster test, which is being removed; the data is kept"},
		"and its cleanup is confirmed": {func(c *api.CephCluster) { deleted(c); confirmed(c) }, nil, "NotSelected CleanupConfirmed",
			"holds osd.3 of CephCluster test, which is being removed; the confirmed cleanupPolicy has the disk wiped"},
		"the cleanup alone is confirmed": {confirmed, nil, "NotSelected CleanupConfirmed", "holds osd.3 of CephCluster test, whose cleanupPolicy is confirmed: it is not taken back"},
		"the cluster is external":        {func(c *api.CephCluster) { c.Spec.External.Enable = true }, nil, "NotSelected ForeignOSD", "holds osd.3 of CephCluster test, which is external"},
		"it is only a part of an OSD": {nil, func(s *inventory.CephDiskStatus) { s.OSD.Description = "bluefs db" }, "Refused PartOfOSD",
			"holds the bluefs db of an OSD of CephCluster test; such OSDs are not supported yet, their data is left alone"},
		"one that did not get ready, of a cluster that is being removed": {deleted, func(s *inventory.CephDiskStatus) { s.Probe.Reason = "UnfinishedOSD" },
			"NotSelected ClusterDeleting", "holds an unfinished OSD of CephCluster test, which is being removed; the data is kept"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := holding("n1", "sdb", test.disk)
			plan := Decide(Observed{Clusters: []api.CephCluster{someCluster(test.cluster)}, Nodes: []corev1.Node{someNode("n1", nil)}, Disks: []inventory.CephDisk{disk}})
			verdict := plan.Verdicts[disk.Name]
			if got := outcome(verdict); got != test.want || verdict.Message != test.message || len(plan.Intents) != 0 {
				t.Errorf("got %s (%s) and %d intents", got, verdict.Message, len(plan.Intents))
			}
		})
	}
}

func TestATaintThatTakesThePlaceOfAnotherIsNoticed(t *testing.T) {
	node := func(key string) *corev1.Node {
		n := someNode("n1", func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: key, Effect: corev1.TaintEffectNoSchedule}}
		})
		n.ResourceVersion = key
		return &n
	}
	if !nodeChanged().Update(event.UpdateEvent{ObjectOld: node("gpu"), ObjectNew: node("storage")}) {
		t.Error("another taint goes unnoticed")
	}
	heartbeat := node("gpu")
	heartbeat.ResourceVersion = "later"
	if nodeChanged().Update(event.UpdateEvent{ObjectOld: node("gpu"), ObjectNew: heartbeat}) {
		t.Error("a heartbeat is a change")
	}
}
