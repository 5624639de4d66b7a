//go:build e2e

package multisite

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

const (
	// second is the namespace of the other cluster, and its name.
	second = "rook-ceph-second"
	// up is how long a small cluster may take from nothing.
	up = 4 * time.Minute
)

// beginSecond makes a cluster of one OSD beside the first, on a disk that the first
// leaves alone, and returns it with its disk.
func beginSecond(t *testing.T, h *harness.Harness) (*api.CephCluster, string) {
	t.Helper()
	h.CreateAll(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: second, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "privileged"}}})
	services := h.Settings.ServiceValues()
	global, _ := services["global"].(map[string]any)
	global["namespaces"] = []any{harness.Namespace, second}
	h.Apply(t, harness.Namespace, "rook-ceph", services)
	values := h.Settings.ClusterValues()
	spec, _ := values["cephClusterSpec"].(map[string]any)
	spec["storage"] = map[string]any{"useAllNodes": true, "useAllDevices": false}
	h.Apply(t, harness.Namespace, "rook-ceph-cluster", values)
	h.AwaitSettled(t, up)

	disk := h.Localkube(t, "add-disk", "--node", "node1")
	h.AwaitDisk(t, disk, inventory.ProbeAvailable, "Blank")
	h.Apply(t, second, "rook-ceph-cluster", small(h, disk))
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: second, Name: second}}
	h.AwaitReadyOf(t, up, cluster)
	return cluster, disk
}

// small are the values of a cluster of one monitor, one manager and one OSD.
func small(h *harness.Harness, disk string) map[string]any {
	values := h.Settings.ClusterValues()
	for _, list := range []string{"cephBlockPools", "cephFileSystems", "cephObjectStores"} {
		values[list] = []any{}
	}
	delete(values, "cephFileSystemVolumeSnapshotClass")
	spec, _ := values["cephClusterSpec"].(map[string]any)
	spec["dataDirHostPath"] = "/var/lib/rook-second"
	spec["mon"], spec["mgr"] = map[string]any{"count": 1}, map[string]any{"count": 1}
	spec["storage"] = map[string]any{
		"useAllNodes": false, "useAllDevices": false,
		"nodes": []any{map[string]any{"name": "node1", "devices": []any{map[string]any{"name": disk}}}},
	}
	spec["cephConfig"] = map[string]any{"global": map[string]any{
		"osd_memory_target": "939524096", "mon_allow_pool_size_one": "true", "osd_pool_default_size": "1"}}
	return values
}

// endSecond removes the other cluster with its data, as its spec confirms, and leaves
// everything as it was.
func endSecond(t *testing.T, h *harness.Harness, cluster *api.CephCluster, disk string) {
	t.Helper()
	h.Edit(t, cluster, `{"spec":{"cleanupPolicy":{"confirmation":"yes-really-destroy-data"}}}`)
	h.Remove(t, up, cluster)
	h.AwaitDisk(t, disk, inventory.ProbeAvailable, "Blank")
	h.Localkube(t, "remove-disk", "--node", "node1", disk)
	h.Uninstall(t, second, "rook-ceph-cluster")
	h.Install(t)
	h.Remove(t, up, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: second}})
	h.AwaitNoDisk(t, disk)
	h.AwaitSettled(t, up)
}
