//go:build envtest

package crdtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestManifestsForRookApplyUnchanged(t *testing.T) {
	c := testenv.Client(t)
	tryAll(t, c, manifests(t))
}

func TestExamplesApply(t *testing.T) {
	c := testenv.Client(t)
	examples := documents(t, filepath.Join("..", "..", "..", "services", "*", "examples", "*.yaml"))
	for file, list := range examples {
		examples[file] = slices.DeleteFunc(list, func(document []byte) bool {
			return bytes.Contains(document, []byte("apiVersion: snapshot.storage.k8s.io/")) // no CRD of ours
		})
	}
	tryAll(t, c, examples)
}

// tryAll creates and applies each document without keeping it.
func tryAll(t *testing.T, c client.Client, files map[string][][]byte) {
	t.Helper()
	namespace := testenv.Namespace(t, c)
	for file, list := range files {
		for _, document := range list {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, &object.Object); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			namespaced, err := c.IsObjectNamespaced(object)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if namespaced {
				object.SetNamespace(namespace)
			}
			err = c.Create(t.Context(), object.DeepCopy(), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			if err != nil {
				t.Errorf("create %s: %v", file, err)
			}
			err = c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("person"), client.DryRunAll)
			if err != nil {
				t.Errorf("apply %s on the server: %v", file, err)
			}
		}
	}
}

// applyStatus applies one piece of a status as one manager.
func applyStatus(t *testing.T, c client.Client, object client.Object, manager string, piece any) {
	t.Helper()
	body, err := json.Marshal(piece)
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]any{}
	if err := json.Unmarshal(body, &status); err != nil {
		t.Fatal(err)
	}
	gvk, err := c.GroupVersionKindFor(object)
	if err != nil {
		t.Fatal(err)
	}
	patch := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	patch.SetGroupVersionKind(gvk)
	patch.SetName(object.GetName())
	patch.SetNamespace(object.GetNamespace())
	if err := c.Status().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(patch),
		client.FieldOwner(manager), client.ForceOwnership); err != nil {
		t.Fatalf("apply as %s: %v", manager, err)
	}
}

func TestTwoServicesNeverEraseEachOthersPieces(t *testing.T) {
	c := testenv.Client(t)
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "shared", Namespace: testenv.Namespace(t, c)}}
	if err := c.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	condition := func(kind string, status metav1.ConditionStatus) []api.Condition {
		return []api.Condition{{Type: kind, Status: status, Reason: api.ReasonAsExpected, LastTransitionTime: &at}}
	}
	mons := api.ClusterStatus{
		Conditions: condition(api.ConditionMonitorsInQuorum, metav1.ConditionTrue),
		Connection: &api.Connection{FSID: "f", MonHost: "v2:10.0.0.1:3300", Endpoints: []api.MonitorEndpoint{{Name: "a", Address: "10.0.0.1"}}},
		Daemons:    map[string]api.DaemonStatus{api.RoleMon: {Version: "18.2.7-0"}},
		Cephx:      &api.ClusterCephxStatus{Mon: &api.CephxStatus{KeyGeneration: 1}},
	}
	osds := api.ClusterStatus{
		Conditions:  condition(api.ConditionOSDsServing, metav1.ConditionFalse),
		CephStorage: &api.CephStorage{DeviceClasses: []api.DeviceClasses{{Name: "ssd"}}},
		OSDs:        &api.OSDsStatus{Planned: 3},
		Daemons:     map[string]api.DaemonStatus{api.RoleOSD: {Version: "18.2.7-0"}},
		Cephx:       &api.ClusterCephxStatus{OSD: &api.CephxStatus{KeyGeneration: 1}},
	}
	applyStatus(t, c, cluster, api.WriterQuorum, mons)
	applyStatus(t, c, cluster, api.WriterOSDs, osds)
	mons.Connection.MonHost = "v2:10.0.0.2:3300"
	applyStatus(t, c, cluster, api.WriterQuorum, mons)

	want := mons
	want.Conditions = append(mons.Conditions, osds.Conditions...)
	want.CephStorage, want.OSDs = osds.CephStorage, osds.OSDs
	want.Daemons = map[string]api.DaemonStatus{api.RoleMon: mons.Daemons[api.RoleMon], api.RoleOSD: osds.Daemons[api.RoleOSD]}
	want.Cephx = &api.ClusterCephxStatus{Mon: mons.Cephx.Mon, OSD: osds.Cephx.OSD}
	if diff := cmp.Diff(want, stored(t, c, cluster).Status, equalTimes()); diff != "" {
		t.Errorf("status of two writers (-want +got):\n%s", diff)
	}

	before := stored(t, c, cluster).ResourceVersion
	applyStatus(t, c, cluster, api.WriterOSDs, osds)
	if after := stored(t, c, cluster).ResourceVersion; after != before {
		t.Error("applying the same piece again changes the object")
	}

	osds.Conditions, osds.Daemons = nil, nil
	applyStatus(t, c, cluster, api.WriterOSDs, osds)
	got := stored(t, c, cluster).Status
	if len(got.Conditions) != 1 || got.Conditions[0].Type != api.ConditionMonitorsInQuorum || len(got.Daemons) != 1 {
		t.Errorf("a writer who leaves out what it owned leaves %v and %v, want only the other's", got.Conditions, got.Daemons)
	}
}

func TestDiscoverAndOSDManagerShareADisk(t *testing.T) {
	c := testenv.Client(t)
	disk := &inventory.CephDisk{ObjectMeta: metav1.ObjectMeta{Name: "node-a-1"}}
	if err := c.Create(t.Context(), disk); err != nil {
		t.Fatal(err)
	}
	rotational := false
	facts := inventory.CephDiskStatus{
		Node: "node-a", Device: "sdb", Size: "10GiB", SizeBytes: 10 << 30, Type: inventory.DiskTypeSSD, Rotational: &rotational,
		Probe: &inventory.DiskProbe{State: inventory.ProbeAvailable, Reason: "Empty"},
	}
	id := int32(4)
	verdict := inventory.CephDiskStatus{Selection: &inventory.DiskSelection{
		Cluster: inventory.ClusterReference{Namespace: "ns", Name: "c"}, State: inventory.SelectionPrepared, Reason: "UseAllDevices", OSDID: &id,
	}}
	applyStatus(t, c, disk, "discover.disk", facts)
	if diff := cmp.Diff([]any{"node-a-1", "node-a", "sdb", "10GiB", "ssd", "Available", "Empty", nil}, columns(t, "cephdisks", "node-a-1")); diff != "" {
		t.Errorf("columns before the verdict (-want +got):\n%s", diff)
	}
	applyStatus(t, c, disk, "osd-manager.disks", verdict)
	facts.Device = "sdc"
	applyStatus(t, c, disk, "discover.disk", facts)

	want := facts
	want.Selection = verdict.Selection
	got := &inventory.CephDisk{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(disk), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("status of two writers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"node-a-1", "node-a", "sdc", "10GiB", "ssd", "Prepared", "UseAllDevices", "4"}, columns(t, "cephdisks", "node-a-1")); diff != "" {
		t.Errorf("columns after the verdict (-want +got):\n%s", diff)
	}
}

func stored(t *testing.T, c client.Client, cluster *api.CephCluster) *api.CephCluster {
	t.Helper()
	got := &api.CephCluster{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(cluster), got); err != nil {
		t.Fatal(err)
	}
	return got
}

func equalTimes() cmp.Option {
	return cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) })
}

func TestStatusThatRookLeftBehindIsTakenOver(t *testing.T) {
	c := testenv.Client(t)
	cluster := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	cluster.SetGroupVersionKind(api.SchemeGroupVersion.WithKind("CephCluster"))
	cluster.SetName("former")
	cluster.SetNamespace(testenv.Namespace(t, c))
	if err := c.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join("testdata", "rook-status.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, string(body))
	cluster.Object["status"] = want
	if err := c.Status().Update(t.Context(), cluster, client.FieldValidation(metav1.FieldValidationStrict)); err != nil {
		t.Fatalf("the status is refused: %v", err)
	}
	typed := &api.CephCluster{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(cluster), typed); err != nil {
		t.Fatal(err)
	}
	if typed.Status.CephStatus.Health != "HEALTH_WARN" || !api.IsConditionTrue(typed.Status.Conditions, api.ConditionReady) {
		t.Errorf("status reads %+v", typed.Status)
	}

	applyStatus(t, c, typed, api.WriterReport, api.ClusterStatus{
		Phase: api.PhaseProgressing, Conditions: []api.Condition{{Type: api.ConditionReady, Status: metav1.ConditionFalse}},
	})
	got := stored(t, c, typed).Status
	if got.Phase != api.PhaseProgressing || api.IsConditionTrue(got.Conditions, api.ConditionReady) || len(got.Conditions) != 2 {
		t.Errorf("after the takeover phase is %s with %d conditions, want Progressing with the 2 that were there", got.Phase, len(got.Conditions))
	}
}
