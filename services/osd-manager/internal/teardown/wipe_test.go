package teardown

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

const fsid = "11111111-2222-3333-4444-555555555555"

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

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
	got, err := yaml.Marshal(wipe(someCluster(), &disk, &node, "rook-ceph/osd-manager:v1"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "wipe.golden.yaml")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}
