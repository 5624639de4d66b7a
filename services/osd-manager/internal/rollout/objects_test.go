package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

func someSubject() subject {
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v18.2.7"}},
		Status:     api.ClusterStatus{Connection: &api.Connection{FSID: "11111111-2222-3333-4444-555555555555"}},
	}
	return subject{
		cluster: cluster,
		osd: &inventory.CephOSD{
			ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "n1-0123456789"},
			Spec: inventory.CephOSDSpec{
				ClusterName: "my-cluster", UUID: "aaaaaaaa-2222-3333-4444-555555555555", ID: ptr.To(int32(3)), Node: "n1", DeviceClass: "ssd",
				Disk: inventory.DiskReference{Name: "n1-0123456789", StableID: "wwn:0x5000"},
				// A keyed list comes in any order.
				CrushLocation: []inventory.CrushBucket{{Type: "host", Name: "n1"}, {Type: "root", Name: "default"}, {Type: "zone", Name: "z1"}},
			},
		},
		node: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"kubernetes.io/hostname": "n1.example.com"}}},
	}
}

func TestDeployment(t *testing.T) {
	for name, change := range map[string]func(*subject){
		"plain": func(*subject) {},
		"tuned": func(s *subject) {
			s.osd.Spec.InitialWeight = "0.5"
			s.osd.Spec.Disk.StableID = "file:/var/lib/disk0"
			s.cluster.Spec.Network.Provider = "host"
			s.cluster.Spec.Resources = api.ResourceSpec{
				"osd":     {Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")}},
				"osd-ssd": {Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("8Gi")}, Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("6Gi")}},
			}
			s.cluster.Spec.Placement = api.PlacementSpec{api.KeyOSD: {Tolerations: []corev1.Toleration{{Key: "storage", Operator: corev1.TolerationOpExists}}}}
			s.cluster.Spec.PriorityClassNames = api.PriorityClassNamesSpec{api.KeyOSD: "system-node-critical"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := someSubject()
			change(&s)
			golden.Objects(t, "deployment-"+name, deployment(s, "rook-ceph/osd-manager:v1", "ceph:v18.2.7"))
		})
	}
}

func TestANewImageOfOursAloneChangesNothing(t *testing.T) {
	live := &appsv1.Deployment{}
	live.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "cephlet", Image: "ours:v1"}, {Name: "osd-prepare", Image: "ours:v1"}}
	if got := keep(live, "ours:v2"); got != "ours:v1" {
		t.Errorf("got %s", got)
	}
	if got := keep(nil, "ours:v2"); got != "ours:v2" {
		t.Errorf("a new Deployment gets %s", got)
	}
}

func TestLocationIsOrderedFromTheRoot(t *testing.T) {
	if got := Location(someSubject().osd); got != "root=default zone=z1 host=n1" {
		t.Errorf("got %s", got)
	}
}
