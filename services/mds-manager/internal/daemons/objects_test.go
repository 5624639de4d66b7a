package daemons_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares obj with a file below testdata.
func golden(t *testing.T, name string, obj any) {
	t.Helper()
	got, err := yaml.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".golden.yaml")
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

func someCluster() *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v20.2.4"}},
		Status:     api.ClusterStatus{Connection: &api.Connection{FSID: "11111111-2222-3333-4444-555555555555"}},
	}
}

func someFilesystem() *api.CephFilesystem {
	fs := &api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "myfs"}}
	fs.Spec.MetadataServer.ActiveCount = 1
	return fs
}

var images = daemons.Images{Ours: "rook-ceph/mds-manager:v1", Ceph: "ceph:v18.2.7"}

func TestAPlainMetadataServer(t *testing.T) {
	golden(t, "plain", daemons.Deployment(someCluster(), someFilesystem(), "myfs-a", images))
}

func TestATunedMetadataServer(t *testing.T) {
	cluster, fs := someCluster(), someFilesystem()
	cluster.Spec.Network.Provider = api.NetworkProviderHost
	cluster.Spec.Placement = api.PlacementSpec{
		api.KeyAll: {Tolerations: []corev1.Toleration{{Key: "storage", Operator: corev1.TolerationOpExists}}},
		api.KeyMds: {NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "role", Operator: corev1.NodeSelectorOpExists}}}}}}},
	}
	cluster.Spec.Labels = api.LabelsSpec{api.KeyMds: {"team": "cluster", "floor": "1"}}
	fs.Spec.MetadataServer = api.MetadataServerSpec{
		ActiveCount: 1,
		Placement: api.Placement{
			Tolerations: []corev1.Toleration{{Key: "mds", Operator: corev1.TolerationOpExists}},
			PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				TopologyKey: "topology.kubernetes.io/zone", LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "rook-ceph-mds"}}}}},
		},
		Annotations:       api.Annotations{"note": "mine"},
		Labels:            api.Labels{"team": "files"},
		Resources:         &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")}},
		PriorityClassName: "system-cluster-critical",
		LivenessProbe:     &api.ProbeSpec{Disabled: true},
		StartupProbe:      &api.ProbeSpec{Probe: &corev1.Probe{FailureThreshold: 99}},
	}
	golden(t, "tuned", daemons.Deployment(cluster, fs, "myfs-b", images))
}

func TestTheBudget(t *testing.T) {
	golden(t, "budget", daemons.Budget(someFilesystem(), "my-cluster"))
}

func TestTheSecretIsFoundByItsMetadataServer(t *testing.T) {
	secret := daemons.Secret(someFilesystem(), "my-cluster", "myfs-a", keyring.Key{Entity: "mds.myfs-a", Secret: "AQ=="})
	if *secret.Name != "rook-ceph-mds-myfs-a-keyring" || daemons.OfKeyring(*secret.Name) != "myfs-a" {
		t.Errorf("%s holds the key of %s", *secret.Name, daemons.OfKeyring(*secret.Name))
	}
	if got := string(secret.Data["keyring"]); got != "[mds.myfs-a]\n\tkey = AQ==\n" {
		t.Errorf("keyring: %q", got)
	}
}

func TestTheClusterIsNotChanged(t *testing.T) {
	cluster, fs := someCluster(), someFilesystem()
	cluster.Spec.Labels = api.LabelsSpec{api.KeyMds: {"team": "cluster"}}
	fs.Spec.MetadataServer.Labels = api.Labels{"team": "files"}
	before := cluster.DeepCopy()
	daemons.Deployment(cluster, fs, "myfs-a", images)
	if diff := cmp.Diff(before, cluster); diff != "" {
		t.Errorf("the cluster was changed (-before +after):\n%s", diff)
	}
}
