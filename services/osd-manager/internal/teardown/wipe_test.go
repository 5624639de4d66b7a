package teardown

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

const fsid = "11111111-2222-3333-4444-555555555555"

func someCluster() *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
		Spec: api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CleanupPolicy: api.CleanupPolicySpec{
			Confirmation:  api.DestroyDataConfirmation,
			SanitizeDisks: api.SanitizeDisksSpec{Method: api.SanitizeMethodComplete, DataSource: api.SanitizeDataSourceRandom, Iteration: 2}}},
		Status: api.ClusterStatus{Connection: &api.Connection{FSID: fsid}},
	}
}

func someDisk(change func(*inventory.CephDiskStatus)) inventory.CephDisk {
	d := inventory.CephDisk{
		ObjectMeta: metav1.ObjectMeta{Name: "n1-0123456789"},
		Status: inventory.CephDiskStatus{
			Node: "n1", Device: "sdb", StableID: "wwn:0x5000",
			OSD:   &inventory.OSDLabel{FSID: fsid, UUID: "aaaaaaaa-2222-3333-4444-555555555555", OSDID: ptr.To(int32(3)), Description: "main"},
			Probe: &inventory.DiskProbe{State: inventory.ProbeOSD},
		},
	}
	change(&d.Status)
	return d
}

func someNode() corev1.Node {
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"kubernetes.io/hostname": "n1.example.com"}}}
}

func TestOnlyDisksThatNameTheClusterAreTargets(t *testing.T) {
	for name, test := range map[string]struct {
		cluster func(*api.CephCluster)
		disk    func(*inventory.CephDiskStatus)
		want    int
	}{
		"a disk of the cluster":            {func(*api.CephCluster) {}, func(*inventory.CephDiskStatus) {}, 1},
		"without a confirmation":           {func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = "" }, func(*inventory.CephDiskStatus) {}, 0},
		"the confirmation is another":      {func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = "yes" }, func(*inventory.CephDiskStatus) {}, 0},
		"a disk of another cluster":        {func(*api.CephCluster) {}, func(s *inventory.CephDiskStatus) { s.OSD.FSID = "other" }, 0},
		"a disk without an OSD":            {func(*api.CephCluster) {}, func(s *inventory.CephDiskStatus) { s.OSD = nil }, 0},
		"a label without a cluster":        {func(c *api.CephCluster) { c.Status.Connection.FSID = "" }, func(s *inventory.CephDiskStatus) { s.OSD.FSID = "" }, 0},
		"a cluster that never came up":     {func(c *api.CephCluster) { c.Status.Connection = nil }, func(*inventory.CephDiskStatus) {}, 0},
		"a disk that is gone":              {func(*api.CephCluster) {}, func(s *inventory.CephDiskStatus) { s.Probe.State = inventory.ProbeMissing }, 0},
		"a disk of a node that is gone":    {func(*api.CephCluster) {}, func(s *inventory.CephDiskStatus) { s.Node = "n9" }, 0},
		"an unfinished OSD of the cluster": {func(*api.CephCluster) {}, func(s *inventory.CephDiskStatus) { s.OSD.OSDID = nil }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := someCluster()
			test.cluster(cluster)
			if got := len(targets(cluster, []inventory.CephDisk{someDisk(test.disk)}, []corev1.Node{someNode()})); got != test.want {
				t.Errorf("%d targets, want %d", got, test.want)
			}
		})
	}
}

func TestWipeJob(t *testing.T) {
	disk, node := someDisk(func(*inventory.CephDiskStatus) {}), someNode()
	quick := someCluster()
	quick.Spec.CleanupPolicy.SanitizeDisks = api.SanitizeDisksSpec{}
	golden.Objects(t, "wipe", wipe(someCluster(), &disk, &node, "rook-ceph/osd-manager:v1"))
	golden.Objects(t, "wipe-quick", wipe(quick, &disk, &node, "rook-ceph/osd-manager:v1"))
}

func TestOnlyAQuickWipeHasADeadline(t *testing.T) {
	disk, node := someDisk(func(*inventory.CephDiskStatus) {}), someNode()
	for method, want := range map[api.SanitizeMethodProperty]bool{"": true, api.SanitizeMethodQuick: true, api.SanitizeMethodComplete: false} {
		cluster := someCluster()
		cluster.Spec.CleanupPolicy.SanitizeDisks.Method = method
		if got := wipe(cluster, &disk, &node, "ours").Spec.ActiveDeadlineSeconds; want != (got != nil) {
			t.Errorf("%q: a deadline of %v", method, got)
		}
	}
}
