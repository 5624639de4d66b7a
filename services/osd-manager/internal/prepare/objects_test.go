package prepare

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

func someCluster() *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v18.2.7"}},
		Status:     api.ClusterStatus{Connection: &api.Connection{FSID: "11111111-2222-3333-4444-555555555555"}},
	}
}

func someOSD() *inventory.CephOSD {
	return &inventory.CephOSD{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "n1-0123456789"},
		Spec: inventory.CephOSDSpec{
			ClusterName: "my-cluster", UUID: "aaaaaaaa-2222-3333-4444-555555555555", ID: ptr.To(int32(3)), Node: "n1", DeviceClass: "ssd",
			Disk: inventory.DiskReference{Name: "n1-0123456789", StableID: "wwn:0x5000"},
		},
	}
}

func someDisk() *inventory.CephDisk {
	return &inventory.CephDisk{
		ObjectMeta: metav1.ObjectMeta{Name: "n1-0123456789"},
		Status:     inventory.CephDiskStatus{Node: "n1", Device: "sdb", StableID: "wwn:0x5000", Type: inventory.DiskTypeSSD},
	}
}

func TestJob(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"kubernetes.io/hostname": "n1.example.com"}}}
	golden.Objects(t, "job", job(someCluster(), someOSD(), someDisk(), node, "rook-ceph/osd-manager:v1"))
}

func TestNoSecretIsInAnArgument(t *testing.T) {
	const key = "AQAAAAAAAAAAABAAAQIDBAUGBwgJCgsMDQ4PEA=="
	cluster, osd := someCluster(), someOSD()
	body, err := yaml.Marshal(job(cluster, osd, someDisk(), nil, "ours"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), key) {
		t.Error("the key is in the Job")
	}
	made := secret(cluster, osd, key)
	if got := string(made.Data["keyring"]); got != "[osd.3]\n\tkey = "+key+"\n" {
		t.Errorf("keyring %q", got)
	}
}

func TestJobNamesFitIntoALabel(t *testing.T) {
	osd := someOSD()
	osd.Name = strings.Repeat("a-very-long-node-name.", 9) + "example.com-0123456789"
	other := someOSD()
	other.Name = strings.Repeat("a-very-long-node-name.", 9) + "example.com-9876543210"
	first, second := fleet.JobName(osd), fleet.JobName(other)
	if len(first) > 63 || first == second {
		t.Errorf("%s (%d characters), %s", first, len(first), second)
	}
}

func TestFactsChangeWithTheDiskAndNotWithItsName(t *testing.T) {
	disk := someDisk()
	before := facts(disk)
	disk.Status.Device, disk.Status.Path, disk.Status.Selection = "sdc", "/dev/sdc", &inventory.DiskSelection{State: inventory.SelectionFailed}
	if facts(disk) != before {
		t.Error("a rename or our own verdict looks like another disk")
	}
	disk.Status.Signatures = []inventory.Signature{{Type: "ext4"}}
	if facts(disk) == before {
		t.Error("a signature that appeared goes unnoticed")
	}
}

func TestAReceiptIsBelievedOnlyAboutItsOwnOSD(t *testing.T) {
	message := func(r receipt.Receipt) []corev1.Pod {
		body, err := receipt.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		return []corev1.Pod{{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: containerPrepare, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: string(body)}}}}}}}
	}
	own := receipt.Receipt{Outcome: receipt.Prepared, OSDID: 3, OSDUUID: someOSD().Spec.UUID}
	if got, err := readReceipt(message(own), someOSD()); err != nil || got == nil {
		t.Errorf("%+v, %v", got, err)
	}
	for name, change := range map[string]func(*receipt.Receipt){
		"another id":   func(r *receipt.Receipt) { r.OSDID = 4 },
		"another uuid": func(r *receipt.Receipt) { r.OSDUUID = "bbbbbbbb-2222-3333-4444-555555555555" },
	} {
		foreign := own
		change(&foreign)
		if got, err := readReceipt(message(foreign), someOSD()); got != nil || !errors.Is(err, receipt.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := readReceipt(nil, someOSD()); got != nil || err != nil {
		t.Errorf("no pod: %+v, %v", got, err)
	}
}
