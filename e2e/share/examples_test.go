//go:build e2e

package share

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const (
	rookManifests = "../../shared/testenv/crdtest/testdata/rook"
	examples      = "../../services/mds-manager/examples"
)

// TestUsersManifestsWork applies the manifest of a file system that Rook's users
// have, and on it the examples: volumes on several nodes, a copy, and a mount by
// hand that sees the files of all.
func TestUsersManifestsWork(t *testing.T) {
	h := harness.New(t)
	filesystem := h.Manifest(t, filepath.Join(rookManifests, "filesystem.yaml"))
	name := filesystem[0].GetName()
	h.AwaitReadyOf(t, 2*time.Minute, filesystem[0])
	h.AwaitReadyOf(t, 2*time.Minute, filesystem[1])
	class := h.Manifest(t, filepath.Join(examples, "storageclass.yaml"))
	volumes := h.Manifest(t, filepath.Join(examples, "shared-volume.yaml"))
	mount := h.Manifest(t, filepath.Join(examples, "direct-mount.yaml"))

	claim, duplicate := claimOf(volumes[0]), claimOf(volumes[1])
	h.AwaitBound(t, claim)
	h.AwaitBound(t, duplicate)
	users, tools := awaitPods(t, h, volumes[2], 2), awaitPods(t, h, mount[0], 1)
	h.Eventually(t, time.Minute, "the mount by hand shows what all pods wrote", func(ctx context.Context) (bool, string) {
		seen, err := h.Exec(ctx, &tools[0], []string{"bash", "-c", "cd /mnt/" + name + "/volumes/csi && ls -d csi-vol-*/*/*"})
		missing := slices.ContainsFunc(users, func(pod corev1.Pod) bool { return !strings.Contains(string(seen), "/"+pod.Name+"\n") })
		return err == nil && !missing, fmt.Sprintf("%s %v", seen, err)
	})

	for _, obj := range slices.Concat(mount, volumes[2:]) {
		h.Remove(t, time.Minute, obj)
	}
	h.Discard(t, duplicate)
	h.Discard(t, claim)
	h.Remove(t, time.Minute, class[0])
	assertKept(t, h, filesystem, name)
	h.AwaitSettled(t, 2*time.Minute)
}

// assertKept deletes the file system, which asks to be preserved: it stays in
// Ceph, comes back with its object, and goes once it does not ask any more. Ceph's
// manager has it mounted for up to two minutes after the last volume went, so long the
// deletion waits, unless another manager takes over.
func assertKept(t *testing.T, h *harness.Harness, objects []client.Object, name string) {
	t.Helper()
	filesystem := objects[0]
	for _, obj := range slices.Backward(objects[1:]) {
		h.Remove(t, time.Minute, obj)
	}
	if err := h.Delete(t.Context(), filesystem); err != nil {
		t.Fatal(err)
	}
	h.AwaitOf(t, soon, filesystem, harness.Expected{
		Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Words: []string{"client"}})
	if _, err := h.Ceph(t.Context(), "mgr", "fail"); err != nil {
		t.Fatal(err)
	}
	h.Gone(t, 3*time.Minute, filesystem)
	if kept, err := h.Ceph(t.Context(), "fs", "ls"); err != nil || !strings.Contains(string(kept), "name: "+name+",") {
		t.Fatalf("after its object was deleted, file systems are %s (%v)", kept, err)
	}
	again := h.Manifest(t, filepath.Join(rookManifests, "filesystem.yaml"))
	h.AwaitReadyOf(t, 2*time.Minute, again[0])
	live := &api.CephFilesystem{}
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(again[0]), live); err != nil {
		t.Fatal(err)
	}
	former := live.DeepCopy()
	live.Spec.PreserveFilesystemOnDelete = false
	if err := h.Patch(t.Context(), live, client.MergeFrom(former)); err != nil {
		t.Fatal(err)
	}
	for _, obj := range slices.Backward(again) {
		h.Remove(t, time.Minute, obj)
	}
	if left, err := h.Ceph(t.Context(), "osd", "pool", "ls"); err != nil || strings.Contains(string(left), name+"-") {
		t.Errorf("pools are %s (%v)", left, err)
	}
}

func claimOf(obj client.Object) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: obj.GetNamespace(), Name: obj.GetName()}}
}

// awaitPods waits until a Deployment has that many ready pods, and returns them.
func awaitPods(t *testing.T, h *harness.Harness, obj client.Object, count int) []corev1.Pod {
	t.Helper()
	deployment, pods := &appsv1.Deployment{}, corev1.PodList{}
	h.Eventually(t, 2*time.Minute, fmt.Sprintf("%d pods of %s are ready", count, obj.GetName()), func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(obj), deployment); err != nil {
			return false, err.Error()
		}
		err := h.List(ctx, &pods, client.InNamespace(obj.GetNamespace()), client.MatchingLabels(deployment.Spec.Selector.MatchLabels))
		ready := 0
		for i := range pods.Items {
			if harness.Ready(&pods.Items[i]) {
				ready++
			}
		}
		return ready == count, fmt.Sprintf("%d of %d, %v", ready, len(pods.Items), err)
	})
	return pods.Items
}
