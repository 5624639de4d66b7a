//go:build e2e

// Package refusals tells the story of requests that cannot be met: each is
// refused at once, or ends in a condition and one event that name the object and
// what to do, and everything that runs goes on.
package refusals

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// soon is how long a service may take to say what is wrong.
	soon = 40 * time.Second
	// again is how long the cluster may take to settle once it is put right.
	again = 90 * time.Second

	device   = "sdzz"
	nearFull = "OSD_NEARFULL"
)

func TestARequestThatCannotBeMetDisturbsNothing(t *testing.T) {
	h := harness.New(t)
	volume := h.Use(t, "refusals", local.StorageClass)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *harness.Harness)
		// warning is the reason of the only one that it may cause.
		warning string
	}{
		{"an image that does not exist", missingImage, api.ReasonImageMissing},
		{"a device that does not exist", missingDevice, "DeviceMissing"},
		{"a device with data on it", deviceWithData, "DeviceRefused"},
		{"a monitor without a node", unschedulableMonitor, api.ReasonMonitorsUnschedulable},
		{"a lost Secret", lostSecret, api.ReasonIdentityLost},
		{"a disk that is too small", smallDisk, "DeviceRefused"},
		{"a disk that is nearly full", nearlyFull, nearFull},
	} {
		t.Run(story.name, func(t *testing.T) {
			before, mark := h.Daemons(t), h.Mark(t)
			story.tell(t, h)
			h.AwaitSettled(t, again)
			h.AssertOneWarning(t, mark, cluster(), story.warning)
			before.AssertUntouched(t, h.Daemons(t))
			if now := h.Daemons(t); len(now) != len(before) {
				t.Errorf("there were %d daemons, now there are %d", len(before), len(now))
			}
			h.AwaitBeat(t, volume)
		})
	}
	h.Release(t, volume)
}

func missingImage(t *testing.T, h *harness.Harness) {
	const image = "localhost/rook-ceph/ceph:does-not-exist"
	mark := h.Mark(t)
	restore := h.Change(t, func(spec *api.ClusterSpec) { spec.CephVersion.Image = image })
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonImageMissing, Words: []string{image, "correct the name"}})
	h.AwaitOneWarning(t, mark, cluster(), api.ReasonImageMissing, image, "correct the name")
	restore()
}

func missingDevice(t *testing.T, h *harness.Harness) {
	mark := h.Mark(t)
	restore := h.Change(t, choose(device))
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionDisksSelected, Status: metav1.ConditionFalse, Reason: "DeviceMissing", Words: []string{device, "node1", "correct"}})
	h.AwaitOneWarning(t, mark, cluster(), "DeviceMissing", device, "node1", "correct")
	restore()
}

func deviceWithData(t *testing.T, h *harness.Harness) {
	table := make([]byte, 1<<20)
	copy(table[510:], "\x55\xaa")
	copy(table[512:], "EFI PART")
	file := harness.Sparse(t, 5<<30+64<<20, table)
	disk := h.Localkube(t, "add-disk", "--node", "node1", "--content", file)
	h.AwaitDisk(t, disk, inventory.ProbeRejected, "Partitioned")
	mark := h.Mark(t)
	restore := h.Change(t, choose(disk))
	name := filepath.Base(disk)
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionDisksSelected, Status: metav1.ConditionFalse, Reason: "DeviceRefused", Words: []string{name, "node1", "must not be touched"}})
	h.AwaitOneWarning(t, mark, cluster(), "DeviceRefused", name, "node1", "must not be touched")
	h.AssertSame(t, disk, file)
	restore()
	h.Localkube(t, "remove-disk", "--node", "node1", disk)
	h.AwaitNoDisk(t, disk)
}

// choose names one device of the node instead of using all.
func choose(device string) func(*api.ClusterSpec) {
	return func(spec *api.ClusterSpec) {
		spec.Storage.UseAllNodes = false
		spec.Storage.Nodes = []api.Node{{Name: "node1", Selection: api.Selection{
			UseAllDevices: ptr.To(false), Devices: []api.Device{{Name: filepath.Base(device)}}}}}
	}
}

func unschedulableMonitor(t *testing.T, h *harness.Harness) {
	mark := h.Mark(t)
	restore := h.Change(t, func(spec *api.ClusterSpec) { spec.Mon.Count, spec.Mon.AllowMultiplePerNode = 5, false })
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionMonitorsInQuorum, Status: metav1.ConditionFalse, Reason: api.ReasonMonitorsUnschedulable, Words: []string{"node1", "add nodes"}})
	h.AwaitOneWarning(t, mark, cluster(), api.ReasonMonitorsUnschedulable, "node1", "add nodes")
	restore()
}

func lostSecret(t *testing.T, h *harness.Harness) {
	const name = "rook-ceph-mon"
	kept := &corev1.Secret{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: name}, kept); err != nil {
		t.Fatal(err)
	}
	mark := h.Mark(t)
	lost := kept.DeepCopy()
	if err := h.Delete(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	// Only now: nobody can put a finalizer back on what is being deleted.
	if err := h.Patch(t.Context(), lost, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}
	h.Remove(t, soon, lost)
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonIdentityLost, Words: []string{name, "Restore the Secret"}})
	h.AwaitOneWarning(t, mark, cluster(), api.ReasonIdentityLost, name, "Restore the Secret")
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(kept), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("another Secret %s was made (%v)", name, err)
	}
	// What a backup holds of it.
	h.CreateAll(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: harness.Namespace, Labels: kept.Labels}, Type: kept.Type, Data: kept.Data})
	h.AwaitSettled(t, again)
	h.Eventually(t, soon, "the Secret is guarded again", func(ctx context.Context) (bool, string) {
		now := &corev1.Secret{}
		if err := h.Get(ctx, client.ObjectKeyFromObject(kept), now); err != nil {
			return false, err.Error()
		}
		return len(now.Finalizers) == len(kept.Finalizers), "it has no finalizer"
	})
}

func smallDisk(t *testing.T, h *harness.Harness) {
	file := harness.Sparse(t, 1<<30, nil)
	disk := h.Localkube(t, "add-disk", "--node", "node1", "--content", file)
	h.AwaitDisk(t, disk, inventory.ProbeRejected, "TooSmall", "1GiB", "5GiB")
	mark := h.Mark(t)
	restore := h.Change(t, choose(disk))
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionDisksSelected, Status: metav1.ConditionFalse, Reason: "DeviceRefused", Words: []string{filepath.Base(disk), "1GiB"}})
	h.AwaitOneWarning(t, mark, cluster(), "DeviceRefused", filepath.Base(disk), "1GiB")
	restore()
	h.Localkube(t, "remove-disk", "--node", "node1", disk)
	h.AwaitNoDisk(t, disk)
}

// nearlyFull lowers what Ceph calls nearly full below what is used.
func nearlyFull(t *testing.T, h *harness.Harness) {
	mark := h.Mark(t)
	t.Cleanup(func() { ratio(t, h, "0.85") })
	ratio(t, h, "0.0001")
	h.AwaitCondition(t, soon, harness.Expected{
		Type: api.ConditionSpaceAvailable, Status: metav1.ConditionFalse, Reason: nearFull, Words: []string{"near full", "add disks"}})
	h.AwaitOneWarning(t, mark, cluster(), nearFull, "near full", "add disks")
	h.Eventually(t, soon, "status.ceph names "+nearFull, func(ctx context.Context) (bool, string) {
		now, err := h.Cluster(ctx)
		if err != nil || now.Status.CephStatus == nil {
			return false, "no status"
		}
		found, present := now.Status.CephStatus.Details[nearFull]
		return present && found.Severity == "HEALTH_WARN" && now.Status.CephStatus.Health == "HEALTH_WARN", now.Status.CephStatus.Health
	})
	ratio(t, h, "0.85")
}

func ratio(t *testing.T, h *harness.Harness, value string) {
	t.Helper()
	if _, err := h.Ceph(context.WithoutCancel(t.Context()), "osd", "set-nearfull-ratio", value); err != nil {
		t.Fatal(err)
	}
}

func cluster() *api.CephCluster {
	return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: harness.Namespace}}
}
