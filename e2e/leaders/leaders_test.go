//go:build e2e

// Package leaders tells the story of services that die: another pod takes over
// and, since the cluster is settled, writes nothing; volumes stay in use.
package leaders

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// takeover is the budget of a successor after a crash, and a margin for a
	// slow machine.
	takeover = 40 * time.Second
	// watched is how long the successor is watched for writes: longer than any
	// of its polls.
	watched = 12 * time.Second
)

func TestSuccessorsWriteNothing(t *testing.T) {
	h := harness.New(t)
	block := h.Use(t, "leaders", local.StorageClass)
	shared := h.Use(t, "leaders-share", local.Filesystem)
	assertBeats := func(t *testing.T) {
		t.Helper()
		h.AwaitBeat(t, block)
		h.AwaitBeat(t, shared)
	}
	daemons := h.Daemons(t)
	t.Run("of leaders", func(t *testing.T) {
		services := []string{"mon-manager", "osd-manager", "mds-manager", "rgw-manager", "provisioner"}
		h.AwaitSettled(t, time.Minute)
		leaders, before := map[string]string{}, versions(t, h, services)
		for _, service := range services {
			leaders[service] = podOf(holder(t, h, service))
		}
		for _, leader := range leaders {
			kill(t, h, leader)
		}
		h.Eventually(t, takeover, "others lead", func(context.Context) (bool, string) {
			var waiting []string
			for service, leader := range leaders {
				if next := podOf(holder(t, h, service)); next == "" || next == leader {
					waiting = append(waiting, fmt.Sprintf("the Lease of %s is held by %q", service, next))
				}
			}
			return len(waiting) == 0, strings.Join(waiting, ", ")
		})
		assertQuiet(t, h, services, before)
		h.AwaitReadyPods(t, time.Minute)
		assertBeats(t)
	})
	for _, service := range []string{"discover", "node-agent"} {
		t.Run(service, func(t *testing.T) {
			running := h.Serving(t, service)
			before := versions(t, h, []string{service})
			for _, pod := range running { // those under the volumes are among them
				kill(t, h, pod.Name)
			}
			assertBeats(t)
			h.Eventually(t, time.Minute, "other pods of "+service+" are ready", func(context.Context) (bool, string) {
				now := h.Serving(t, service)
				same := slices.ContainsFunc(now, func(pod corev1.Pod) bool {
					return slices.ContainsFunc(running, func(was corev1.Pod) bool { return was.UID == pod.UID })
				})
				return len(now) == len(running) && !same, fmt.Sprintf("%d of %d are", len(now), len(running))
			})
			assertQuiet(t, h, []string{service}, before)
			assertBeats(t)
		})
	}
	t.Run("an update of node-agent", func(t *testing.T) {
		update(t, h, "node-agent")
		assertBeats(t)
	})
	daemons.AssertUntouched(t, h.Daemons(t))
	h.Release(t, block)
	h.Release(t, shared)
}

// kill ends a pod at once.
func kill(t *testing.T, h *harness.Harness, name string) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: name}}
	if err := h.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatalf("kill %s: %v", name, err)
	}
}

// update replaces all pods of a DaemonSet one after the other, as a new version
// does.
func update(t *testing.T, h *harness.Harness, service string) {
	t.Helper()
	set := &appsv1.DaemonSet{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: service}, set); err != nil {
		t.Fatal(err)
	}
	former := set.DeepCopy()
	set.Spec.Template.Annotations = map[string]string{"story": "update"}
	if err := h.Patch(t.Context(), set, client.MergeFrom(former)); err != nil {
		t.Fatal(err)
	}
	h.Eventually(t, 3*time.Minute, "all pods of "+service+" are new", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(set), set); err != nil {
			return false, err.Error()
		}
		now := set.Status
		return now.ObservedGeneration == set.Generation && now.UpdatedNumberScheduled == now.DesiredNumberScheduled && now.NumberUnavailable == 0,
			fmt.Sprintf("%d of %d are, %d are not ready", now.UpdatedNumberScheduled, now.DesiredNumberScheduled, now.NumberUnavailable)
	})
}

// holder returns who holds the Lease of a service: a pod's name and a suffix.
func holder(t *testing.T, h *harness.Harness, service string) string {
	t.Helper()
	lease := &coordinationv1.Lease{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: service + ".ceph.rook.io"}, lease); err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// podOf cuts the random part that the election adds to the host's name.
func podOf(holder string) string {
	pod, _, _ := strings.Cut(holder, "_")
	return pod
}

// assertQuiet fails the test as soon as something differs from before.
func assertQuiet(t *testing.T, h *harness.Harness, services []string, before map[string]string) {
	t.Helper()
	h.Never(t, watched, "something was written", func(context.Context) (bool, string) {
		var written []string
		after := versions(t, h, services)
		for name, version := range after {
			if was, known := before[name]; !known || was != version {
				written = append(written, fmt.Sprintf("%s (%s, then %s)", name, was, version))
			}
		}
		for name := range before {
			if _, present := after[name]; !present {
				written = append(written, name+" was deleted")
			}
		}
		return len(written) > 0, strings.Join(written, ", ")
	})
}

// versions returns the resource version of everything that our services write.
// The workloads of the services themselves change with their pods.
func versions(t *testing.T, h *harness.Harness, services []string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&api.CephClusterList{}, &api.CephBlockPoolList{}, &api.CephFilesystemList{}, &api.CephFilesystemSubVolumeGroupList{},
		&api.CephObjectStoreList{}, &api.CephObjectStoreUserList{},
		&inventory.CephDiskList{}, &inventory.CephOSDList{},
		&appsv1.DeploymentList{}, &appsv1.DaemonSetList{}, &batchv1.JobList{}, &policyv1.PodDisruptionBudgetList{},
		&corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{},
		&storagev1.CSIDriverList{}, &corev1.PersistentVolumeList{}, &storagev1.VolumeAttachmentList{},
	} {
		if err := h.List(t.Context(), list, client.InNamespace(namespaceOf(list))); err != nil {
			t.Fatal(err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if !ok {
				return fmt.Errorf("%T is no object", item)
			}
			if !slices.Contains(services, obj.GetName()) {
				versions[fmt.Sprintf("%T %s", obj, obj.GetName())] = version(t, obj)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return versions
}

// namespaceOf is empty for kinds that are in none.
func namespaceOf(list client.ObjectList) string {
	switch list.(type) {
	case *inventory.CephDiskList, *storagev1.CSIDriverList, *corev1.PersistentVolumeList, *storagev1.VolumeAttachmentList:
		return ""
	}
	return harness.Namespace
}

// version is what a write changes. How full the cluster and its OSDs are changes
// with their data, which a volume in use writes.
func version(t *testing.T, obj client.Object) string {
	t.Helper()
	var seen client.Object
	switch obj := obj.(type) {
	case *inventory.CephOSD:
		osd := obj.DeepCopy()
		osd.Status.Used = ""
		seen = osd
	case *api.CephCluster:
		cluster := obj.DeepCopy()
		if ceph := cluster.Status.CephStatus; ceph != nil {
			ceph.Capacity, ceph.LastChecked = nil, ""
		}
		seen = cluster
	default:
		return obj.GetResourceVersion()
	}
	seen.SetResourceVersion("")
	seen.SetManagedFields(nil)
	body, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
