//go:build envtest

package inventory_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/discover/internal/hotplug"
	agent "github.com/rook-ceph/rook-ceph/services/discover/internal/inventory"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/disktest"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const gib = 1 << 30

// world is a machine, an API server and the agent between them.
type world struct {
	t       *testing.T
	machine *disktest.Machine
	client  client.Client
	devices *agent.Devices
	r       *agent.Reconciler
	writes  int
	wakes   int
	follow  []string
	node    *corev1.Node
}

// watching connects to the API server of the test binary.
func watching(t *testing.T) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(testenv.Start(t), client.Options{Scheme: testenv.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, machine: disktest.New(t)}
	w.client = interceptor.NewClient(watching(t), w.count())
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}
	if err := w.client.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	w.node = node
	w.restart()
	return w
}

func (w *world) count() interceptor.Funcs {
	return interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			w.writes++
			return c.Apply(ctx, obj, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			w.writes++
			return c.SubResource(sub).Apply(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			w.writes++
			return c.Delete(ctx, obj, opts...)
		},
	}
}

// restart replaces the agent by one that knows nothing.
func (w *world) restart() {
	w.devices = agent.NewDevices(scan.Scanner{
		Host: w.machine.Host(), Nodes: w.machine, Policy: disk.Policy{MinSizeBytes: 5 * gib},
	}, func() { w.wakes++ })
	w.r = &agent.Reconciler{
		Node: w.node.Name, Devices: w.devices, Client: w.client, Direct: w.client,
		Apply: apply.Applier{Client: w.client, Manager: agent.Name}, Clock: clocktesting.NewFakePassiveClock(metav1.Now().Time),
		Follow: func(names []string) error { w.follow = names; return nil },
	}
}

// settle runs passes until one writes nothing, and returns the disks by device
// name ("" for the missing ones).
func (w *world) settle() map[string]inventory.CephDisk {
	w.t.Helper()
	for range 5 {
		before := w.writes
		if _, err := w.r.Reconcile(w.t.Context(), reconcile.Request{}); err != nil {
			w.t.Fatal(err)
		}
		if w.writes == before {
			return w.disks()
		}
	}
	w.t.Fatal("five passes in a row wrote something")
	return nil
}

func (w *world) disks() map[string]inventory.CephDisk {
	w.t.Helper()
	var list inventory.CephDiskList
	if err := w.client.List(w.t.Context(), &list, client.MatchingLabels{names.LabelHostname: w.node.Name}); err != nil {
		w.t.Fatal(err)
	}
	byDevice := map[string]inventory.CephDisk{}
	for _, item := range list.Items {
		byDevice[item.Status.Device] = item
	}
	return byDevice
}

func (w *world) add(name, wwn string, partitions ...int64) {
	w.t.Helper()
	w.machine.Add(disktest.Device{
		Name: name, SizeBytes: 10 * gib, Partitions: partitions, Minor: 16 * int(name[2]-'a'),
		Attributes: map[string]string{"device/wwid": wwn, "queue/rotational": "1"},
	})
}

func TestEveryDiskGetsAnObjectThatSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	w.add("sda", "naa.1", 2*gib)
	w.machine.Mount("8:1", "/", "/dev/root")
	w.add("sdb", "naa.2")
	w.machine.Add(disktest.Device{Name: "loop0", Virtual: true, SizeBytes: 10 * gib, Attributes: map[string]string{"loop/backing_file": "/x"}})
	w.machine.Add(disktest.Device{Name: "rbd0", SizeBytes: 10 * gib})
	got := w.settle()
	if len(got) != 2 {
		t.Fatalf("%d objects, want 2", len(got))
	}
	if probe := got["sda"].Status.Probe; probe.State != inventory.ProbeInUse || probe.Message != "partition sda1 is mounted at /" {
		t.Errorf("sda: %+v", probe)
	}
	blank := got["sdb"]
	if blank.Name != disk.ObjectName(w.node.Name, "wwn:naa.2") || blank.Labels[names.LabelHostname] != w.node.Name {
		t.Errorf("sdb has name %s and labels %v", blank.Name, blank.Labels)
	}
	owners := []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: w.node.Name, UID: w.node.UID}}
	if diff := cmp.Diff(owners, blank.OwnerReferences); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	status := blank.Status
	if status.Node != w.node.Name || status.Size != "10GiB" || status.Type != inventory.DiskTypeHDD || status.Probe.State != inventory.ProbeAvailable {
		t.Errorf("sdb: %+v", status)
	}
	if !slices.Equal(w.follow, []string{"sda", "sdb"}) {
		t.Errorf("follows %v, want sda and sdb", w.follow)
	}
}

func TestASettledNodeIsSilentAlsoAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.add("sda", "naa.1", gib)
	w.add("sdb", "naa.2")
	w.machine.Content("sdb", "../../../../shared/disk/probe/testdata/corpus/osd-tentacle.img.gz")
	w.settle()
	before := w.writes
	w.settle()
	w.restart()
	w.settle()
	w.devices.TouchAll()
	w.settle()
	if w.writes != before {
		t.Errorf("%d writes on a settled node, want 0", w.writes-before)
	}
}

func TestOnlyWhatWasTouchedIsOpenedAgain(t *testing.T) {
	w := newWorld(t)
	w.add("sda", "naa.1")
	w.add("sdb", "naa.2")
	w.settle()
	w.machine.Opened()
	w.devices.Hear(func() {})(w.t.Context(), hotplug.Batch{Devices: []string{"sdb", "tty0"}})
	w.settle()
	if got := w.machine.Opened(); !slices.Equal(got, []string{"sdb"}) {
		t.Errorf("opened %v, want sdb only", got)
	}
}

func TestADiskThatWasFormattedIsRejected(t *testing.T) {
	w := newWorld(t)
	w.add("sdb", "naa.2")
	w.settle()
	w.machine.Put("sdb", 512, []byte("LABELONE"))
	w.devices.Touch("sdb")
	if got := w.settle()["sdb"].Status.Probe; got.State != inventory.ProbeRejected || got.Reason != disk.ReasonVolumeMember {
		t.Errorf("probe %+v", got)
	}
}

func TestALabelMakesAnOSDAndItsLossAMissingOne(t *testing.T) {
	w := newWorld(t)
	w.add("sdb", "naa.2")
	w.add("sdc", "naa.3")
	w.machine.Content("sdb", "../../../../shared/disk/probe/testdata/corpus/osd-reef.img.gz")
	osd := w.settle()["sdb"].Status
	if osd.Probe.State != inventory.ProbeOSD || osd.OSD == nil || *osd.OSD.OSDID != 7 || osd.OSD.UUID != "11111111-2222-4333-8444-555555555555" || osd.OSD.FSID != "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee" {
		t.Fatalf("OSD: %+v, probe %+v", osd.OSD, osd.Probe)
	}
	w.machine.Remove("sdb")
	w.machine.Remove("sdc")
	w.devices.Touch("sdb", "sdc")
	got := w.settle()
	if len(got) != 1 || got[""].Status.Probe.State != inventory.ProbeMissing || got[""].Status.OSD == nil || !strings.Contains(got[""].Status.Probe.Message, "sdb") {
		t.Errorf("after the loss: %+v", got)
	}
}

func TestASwapOfDeviceNamesChangesNoObjectNames(t *testing.T) {
	w := newWorld(t)
	w.add("sdb", "naa.2")
	w.add("sdc", "naa.3")
	before := w.settle()
	w.machine.Remove("sdb")
	w.machine.Remove("sdc")
	w.add("sdb", "naa.3")
	w.add("sdc", "naa.2")
	w.restart()
	after := w.settle()
	if before["sdb"].Name != after["sdc"].Name || before["sdc"].Name != after["sdb"].Name {
		t.Errorf("names before %s, %s; after %s, %s", before["sdb"].Name, before["sdc"].Name, after["sdb"].Name, after["sdc"].Name)
	}
}

func TestObjectsOfOtherNodesAreNeverTouched(t *testing.T) {
	w := newWorld(t)
	other := &inventory.CephDisk{ObjectMeta: metav1.ObjectMeta{GenerateName: "other-", Labels: map[string]string{names.LabelHostname: "other"}}}
	if err := w.client.Create(w.t.Context(), other); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(other), other); err != nil || other.Status.Probe != nil {
		t.Errorf("object of another node: %v, %+v", err, other.Status)
	}
}

func TestTheSelectionOfOsdManagerSurvives(t *testing.T) {
	w := newWorld(t)
	w.add("sdb", "naa.2")
	object := w.settle()["sdb"]
	theirs := apply.Applier{Client: w.client, Manager: "osd-manager.selection"}
	selection := &inventory.DiskSelection{Cluster: inventory.ClusterReference{Namespace: "rook-ceph", Name: "c"}, State: inventory.SelectionSelected}
	if err := theirs.Status(w.t.Context(), &object, inventory.CephDiskStatus{Selection: selection}); err != nil {
		t.Fatal(err)
	}
	w.machine.Put("sdb", 512, []byte("LABELONE"))
	w.devices.Touch("sdb")
	got := w.settle()["sdb"].Status
	if diff := cmp.Diff(selection, got.Selection); diff != "" || got.Probe.State != inventory.ProbeRejected {
		t.Errorf("selection (-want +got):\n%sprobe %+v", diff, got.Probe)
	}
}

func TestAHolderThatComesAndGoesIsSeenThroughItsOwnEvents(t *testing.T) {
	w := newWorld(t)
	w.add("sdb", "naa.2")
	w.settle()
	w.machine.Hold("sdb", "dm-0")
	w.machine.Add(disktest.Device{Name: "dm-0", Virtual: true, SizeBytes: gib})
	w.machine.Slave("dm-0", "sdb")
	w.devices.Touch("dm-0")
	if got := w.settle()["sdb"].Status; got.Probe.Reason != disk.ReasonHolder || !slices.Equal(got.Holders, []string{"dm-0"}) {
		t.Errorf("held: %+v, holders %v", got.Probe, got.Holders)
	}
	w.machine.Release("sdb", "dm-0")
	w.machine.Remove("dm-0")
	w.devices.Touch("dm-0")
	if got := w.settle()["sdb"].Status.Probe; got.State != inventory.ProbeAvailable {
		t.Errorf("released: %+v", got)
	}
}

func TestOneBrokenObjectDelaysNoOther(t *testing.T) {
	w := newWorld(t)
	w.add("sda", "naa.1")
	w.add("sdb", "naa.2")
	refused := disk.ObjectName(w.node.Name, "wwn:naa.1")
	w.r.Apply.Client = interceptor.NewClient(watching(t), interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if named, ok := obj.(interface{ GetName() string }); ok && named.GetName() == refused {
				return syscall.ECONNREFUSED
			}
			return c.Apply(ctx, obj, opts...)
		},
	})
	_, err := w.r.Reconcile(w.t.Context(), reconcile.Request{})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Reconcile = %v, want %v", err, syscall.ECONNREFUSED)
	}
	if got := w.disks(); len(got) != 1 {
		t.Errorf("%d objects, want that of sdb", len(got))
	}
}
