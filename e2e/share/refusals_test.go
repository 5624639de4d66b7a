//go:build e2e

package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

// soon is how long a service may take to say what is wrong.
const soon = 40 * time.Second

func TestARequestThatCannotBeMetLosesNothing(t *testing.T) {
	h := harness.New(t)
	volume := h.Use(t, "share-refusals", local.Filesystem)
	before := h.Daemons(t).Without("rook_object_store", "my-store")
	t.Run("a class with a file system that does not exist", func(t *testing.T) {
		class := h.Class(t, "share-unknown", local.Filesystem, map[string]string{"fsName": "nowhere", "pool": ""})
		assertClaimRefused(t, h, harness.SharedClaim("share-unknown", class.Name), "nowhere")
		h.Remove(t, soon, class)
	})
	t.Run("a claim larger than the quota of its group, and a quota below use", func(t *testing.T) {
		group := quotaGroup(t, h, "2Gi")
		class := h.Class(t, "share-quota", local.Filesystem, map[string]string{"clusterID": clusterID(t, h, group)})
		small := harness.SharedClaim("share-small", class.Name)
		h.CreateAll(t, small)
		h.AwaitBound(t, small)
		large := harness.SharedClaim("share-large", class.Name)
		large.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("3Gi")
		assertClaimRefused(t, h, large, "has a quota of 2147483648")
		fill(t, h, small, group)

		lower := group.DeepCopy()
		lower.Spec.Quota = ptr.To(resource.MustParse("1Mi"))
		if err := h.Patch(t.Context(), lower, client.MergeFrom(group)); err != nil {
			t.Fatal(err)
		}
		awaitGroup(t, h, group, harness.Expected{
			Type: api.ConditionReady, Status: metav1.ConditionFalse, Reason: api.ReasonQuotaBelowUse, Words: []string{"1Mi", "raise it"}})
		if err := h.Delete(t.Context(), group); err != nil {
			t.Fatal(err)
		}
		awaitGroup(t, h, group, harness.Expected{Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Words: []string{"csi-vol-"}})
		h.Discard(t, small)
		h.Gone(t, time.Minute, group)
		h.Remove(t, soon, class)
	})
	t.Run("a data pool that disappears from the spec", func(t *testing.T) {
		extra := api.NamedPoolSpec{Name: "extra"}
		extra.FailureDomain, extra.ErasureCoded = "host", api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}
		h.ChangeFilesystem(t, func(spec *api.FilesystemSpec) { spec.DataPools = append(spec.DataPools, extra) })
		h.AwaitServed(t, time.Minute)
		keepIn(t, h, local.Filesystem+"-extra")
		h.ChangeFilesystem(t, func(spec *api.FilesystemSpec) { spec.DataPools = spec.DataPools[:1] })
		h.AwaitFilesystemCondition(t, soon, harness.Expected{
			Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonDrift, Words: []string{local.Filesystem + "-extra"}})
		pools, err := h.Ceph(t.Context(), "osd", "pool", "ls")
		if err != nil || !strings.Contains(string(pools), local.Filesystem+"-extra\n") {
			t.Errorf("pools are %s (%v)", pools, err)
		}
		h.ChangeFilesystem(t, func(spec *api.FilesystemSpec) { spec.DataPools = append(spec.DataPools, extra) })
		h.AwaitServed(t, time.Minute)
	})
	before.AssertUntouched(t, h.Daemons(t))
	h.AwaitBeat(t, volume)
	h.Release(t, volume)
}

// assertClaimRefused makes a claim, waits for an event that says why it gets no
// volume, and deletes it.
func assertClaimRefused(t *testing.T, h *harness.Harness, claim *corev1.PersistentVolumeClaim, why string) {
	t.Helper()
	h.CreateAll(t, claim)
	h.Eventually(t, soon, "an event about "+claim.Name+" says why", func(ctx context.Context) (bool, string) {
		list, said := eventsv1.EventList{}, ""
		if err := h.List(ctx, &list, client.InNamespace(claim.Namespace)); err != nil {
			return false, err.Error()
		}
		for _, event := range list.Items {
			if event.Regarding.Name == claim.Name && event.Type == corev1.EventTypeWarning {
				said += event.Note + "; "
			}
		}
		return strings.Contains(said, why), "events: " + said
	})
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(claim), claim); err != nil || claim.Status.Phase != corev1.ClaimPending {
		t.Errorf("claim %s is %s: %v", claim.Name, claim.Status.Phase, err)
	}
	h.Remove(t, soon, claim)
}

func quotaGroup(t *testing.T, h *harness.Harness, quota string) *api.CephFilesystemSubVolumeGroup {
	t.Helper()
	group := &api.CephFilesystemSubVolumeGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: "share-quota"},
		Spec: api.CephFilesystemSubVolumeGroupSpec{
			Name: "share-quota", FilesystemName: local.Filesystem, Quota: ptr.To(resource.MustParse(quota))},
	}
	h.CreateAll(t, group)
	awaitGroup(t, h, group, harness.Expected{Type: api.ConditionReady, Status: metav1.ConditionTrue})
	return group
}

func awaitGroup(t *testing.T, h *harness.Harness, group *api.CephFilesystemSubVolumeGroup, want harness.Expected) {
	t.Helper()
	h.Eventually(t, soon, fmt.Sprintf("the group's %s is %s (%s)", want.Type, want.Status, want.Reason), func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(group), group); err != nil || group.Status == nil {
			return false, fmt.Sprint("no status: ", err)
		}
		return want.Met(group.Status.Conditions)
	})
}

// clusterID is by which name volumes know the group.
func clusterID(t *testing.T, h *harness.Harness, group *api.CephFilesystemSubVolumeGroup) string {
	t.Helper()
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(group), group); err != nil {
		t.Fatal(err)
	}
	if group.Status == nil || group.Status.Info["clusterID"] == "" {
		t.Fatalf("group %s has no clusterID", group.Name)
	}
	return group.Status.Info["clusterID"]
}

// keepIn writes to a volume in a pool, reads it back from another pod, and finds it in
// that pool.
func keepIn(t *testing.T, h *harness.Harness, pool string) {
	t.Helper()
	class := h.Class(t, "share-pool", local.Filesystem, map[string]string{"pool": pool})
	claim := harness.SharedClaim("share-pool", class.Name)
	h.CreateAll(t, claim)
	h.AwaitBound(t, claim)
	for _, script := range []string{
		"head -c 8388608 /dev/urandom > /data/blob; sha256sum /data/blob > /data/sum; sync",
		"sha256sum --quiet -c /data/sum",
	} {
		pod := h.User(claim.Name, claim, script)
		h.CreateAll(t, pod)
		h.AwaitPhase(t, pod, corev1.PodSucceeded)
		h.Remove(t, time.Minute, pod)
	}
	if objects, err := h.Toolbox(t.Context(), "rados", "--pool", pool, "ls"); err != nil || len(strings.Fields(string(objects))) < 2 {
		t.Errorf("pool %s holds %s (%v)", pool, objects, err)
	}
	h.Discard(t, claim)
	h.Remove(t, soon, class)
}

// filled is what fill writes.
const filled = 8 << 20

// fill writes to a volume and waits until Ceph has counted it, which it does some
// seconds later.
func fill(t *testing.T, h *harness.Harness, claim *corev1.PersistentVolumeClaim, group *api.CephFilesystemSubVolumeGroup) {
	t.Helper()
	pod := h.User(claim.Name, claim, fmt.Sprintf("head -c %d /dev/urandom > /data/blob; sync", filled))
	h.CreateAll(t, pod)
	h.AwaitPhase(t, pod, corev1.PodSucceeded)
	h.Remove(t, time.Minute, pod)
	h.Eventually(t, time.Minute, "Ceph has counted what was written", func(ctx context.Context) (bool, string) {
		body, err := h.Ceph(ctx, "fs", "subvolumegroup", "info", local.Filesystem, group.Spec.Name)
		seen := struct {
			BytesUsed int `json:"bytes_used"`
		}{}
		err = errors.Join(err, json.Unmarshal(body, &seen))
		return seen.BytesUsed >= filled, fmt.Sprintf("%d bytes, %v", seen.BytesUsed, err)
	})
}
