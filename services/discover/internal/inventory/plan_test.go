package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	agent "github.com/rook-ceph/rook-ceph/services/discover/internal/inventory"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

func seen(name, wwn string, state disk.State) scan.Disk {
	return scan.Disk{
		Facts:   disk.Facts{KernelName: name, Kind: disk.Disk, WWN: wwn, SizeBytes: 10 << 30},
		Verdict: disk.Verdict{State: state, Reason: "Because"},
	}
}

func known(wwn string, status inventory.CephDiskStatus) inventory.CephDisk {
	return inventory.CephDisk{
		ObjectMeta: metav1.ObjectMeta{Name: disk.ObjectName("n1", "wwn:"+wwn)},
		Status:     status,
	}
}

func TestDecide(t *testing.T) {
	label := &inventory.OSDLabel{UUID: "u"}
	for name, test := range map[string]struct {
		seen     []scan.Disk
		existing []inventory.CephDisk
		keep     map[string]inventory.ProbeState
		forget   []string
	}{
		"records a new disk":                  {[]scan.Disk{seen("sda", "a", disk.Available)}, nil, map[string]inventory.ProbeState{"a": "Available"}, nil},
		"leaves out what is no disk":          {[]scan.Disk{seen("rbd0", "a", disk.Ignored)}, nil, nil, nil},
		"keeps one object for two paths":      {[]scan.Disk{seen("sda", "a", disk.Rejected), seen("sdb", "a", disk.Rejected)}, nil, map[string]inventory.ProbeState{"a": "Rejected"}, nil},
		"forgets an unused disk that is gone": {nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{})}, nil, []string{"a"}},
		"keeps an OSD that is gone":           {nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{OSD: label})}, map[string]inventory.ProbeState{"a": "Missing"}, nil},
		"keeps a disk that is being prepared": {
			nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{Selection: &inventory.DiskSelection{State: inventory.SelectionPreparing}})},
			map[string]inventory.ProbeState{"a": "Missing"}, nil,
		},
		"keeps a disk that an OSD was promised on": {
			nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{Selection: &inventory.DiskSelection{State: inventory.SelectionFailed, OSDID: ptr.To(int32(3))}})},
			map[string]inventory.ProbeState{"a": "Missing"}, nil,
		},
		"forgets a disk that was merely not selected": {
			nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{Selection: &inventory.DiskSelection{State: inventory.SelectionNotSelected}})},
			nil, []string{"a"},
		},
		"finds a disk under another device name": {
			[]scan.Disk{seen("sdc", "a", disk.OSD), seen("sda", "b", disk.Available)},
			[]inventory.CephDisk{known("a", inventory.CephDiskStatus{OSD: label, Device: "sda"})},
			map[string]inventory.ProbeState{"a": "OSD", "b": "Available"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := agent.Decide("n1", test.seen, test.existing)
			got, want := map[string]inventory.ProbeState{}, map[string]inventory.ProbeState{}
			for _, entry := range plan.Keep {
				got[entry.Name] = entry.Status.Probe.State
			}
			for wwn, state := range test.keep {
				want[disk.ObjectName("n1", "wwn:"+wwn)] = state
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("keep (-want +got):\n%s", diff)
			}
			var forgotten, wanted []string
			for _, object := range plan.Forget {
				forgotten = append(forgotten, object.Name)
			}
			for _, wwn := range test.forget {
				wanted = append(wanted, disk.ObjectName("n1", "wwn:"+wwn))
			}
			if diff := cmp.Diff(wanted, forgotten); diff != "" {
				t.Errorf("forget (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMissingDiskReadsTheSameOnEveryPass(t *testing.T) {
	first := agent.Decide("n1", nil, []inventory.CephDisk{known("a", inventory.CephDiskStatus{
		Node: "n1", Device: "sdb", Path: "/dev/sdb", Model: "M", OSD: &inventory.OSDLabel{UUID: "u"}, Probe: &inventory.DiskProbe{State: "OSD"},
	})}).Keep[0].Status
	if first.Device != "" || first.Model != "M" || first.Probe.Message == "" {
		t.Errorf("status %+v: want the model, no device and a message", first)
	}
	second := agent.Decide("n1", nil, []inventory.CephDisk{known("a", first)}).Keep[0].Status
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("second pass (-first +second):\n%s", diff)
	}
}
