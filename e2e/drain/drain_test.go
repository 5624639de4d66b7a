//go:build e2e

// Package drain tells the story of a node that is drained: its OSDs go, no other
// node can be drained meanwhile, volumes stay in use, nothing is marked out, and
// all is as before when the node is back.
package drain

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// drained is the node that goes, other one that stays.
	drained, other = "node3", "node2"
	// soon is how long osd-manager may take to notice: it looks every 10 s.
	soon = 40 * time.Second
)

func TestOneNodeAtATimeCanBeDrained(t *testing.T) {
	h := harness.New(t)
	volume := h.Use(t, "drain", local.StorageClass)
	before := h.Daemons(t)
	awaitBudgets(t, h, "rook-ceph-osd")

	cordon(t, h, true)
	t.Cleanup(func() { cordon(t, h, false) })
	var gone []string
	for _, pod := range osdsOn(before, drained) {
		if err := evict(t, h, &pod); err != nil {
			t.Fatalf("evict %s: %v", pod.Name, err)
		}
		gone = append(gone, pod.Name)
	}
	awaitBudgets(t, h, "rook-ceph-osd-host-node1", "rook-ceph-osd-host-"+other)
	awaitFlags(t, h, drained, "noout")
	for _, pod := range osdsOn(before, other) {
		if err := evict(t, h, &pod); !apierrors.IsTooManyRequests(err) {
			t.Errorf("evict %s while %s drains: %v", pod.Name, drained, err)
		}
	}
	h.AwaitBeat(t, volume)

	cordon(t, h, false)
	awaitBudgets(t, h, "rook-ceph-osd")
	awaitFlags(t, h, drained)
	h.AwaitCeph(t, 2*time.Minute, len(before.Of("mon")), len(before.Of("mgr")), len(before.Of("osd")))
	h.AwaitSettled(t, time.Minute)
	before.AssertUntouched(t, h.Daemons(t), gone...)
	h.AwaitBeat(t, volume)
	h.Release(t, volume)
}

func osdsOn(daemons harness.Daemons, node string) []corev1.Pod {
	return slices.DeleteFunc(daemons.Of("osd"), func(pod corev1.Pod) bool { return pod.Spec.NodeName != node })
}

func cordon(t *testing.T, h *harness.Harness, cordoned bool) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	node := &corev1.Node{}
	if err := h.Get(ctx, client.ObjectKey{Name: drained}, node); err != nil {
		t.Fatal(err)
	}
	former := node.DeepCopy()
	node.Spec.Unschedulable = cordoned
	if err := h.Patch(ctx, node, client.MergeFrom(former)); err != nil {
		t.Fatal(err)
	}
}

// evict asks as kubectl drain does.
func evict(t *testing.T, h *harness.Harness, pod *corev1.Pod) error {
	t.Helper()
	return h.Clientset.PolicyV1().Evictions(pod.Namespace).Evict(t.Context(), &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}})
}

// awaitBudgets waits until these are the disruption budgets of OSDs, and
// Kubernetes has counted their pods.
func awaitBudgets(t *testing.T, h *harness.Harness, names ...string) {
	t.Helper()
	h.Eventually(t, soon, fmt.Sprintf("the budgets of OSDs are %v", names), func(ctx context.Context) (bool, string) {
		list := policyv1.PodDisruptionBudgetList{}
		if err := h.List(ctx, &list, client.InNamespace(harness.Namespace)); err != nil {
			return false, err.Error()
		}
		found := map[string]bool{}
		for _, budget := range list.Items {
			if budget.Spec.Selector.MatchLabels["app"] == "rook-ceph-osd" {
				found[budget.Name] = budget.Status.ObservedGeneration == budget.Generation
			}
		}
		counted := !slices.Contains(slices.Collect(maps.Values(found)), false)
		return counted && slices.Equal(slices.Sorted(maps.Keys(found)), names), fmt.Sprint(found)
	})
}

// awaitFlags waits until these are the flags that Ceph has set for a host.
func awaitFlags(t *testing.T, h *harness.Harness, host string, flags ...string) {
	t.Helper()
	h.Eventually(t, soon, fmt.Sprintf("the flags of host %s are %v", host, flags), func(ctx context.Context) (bool, string) {
		body, err := h.Ceph(ctx, "osd", "dump", "--format", "json")
		if err != nil {
			return false, err.Error()
		}
		seen := struct {
			CrushNodeFlags map[string][]string `json:"crush_node_flags"`
		}{}
		if err := json.Unmarshal(body, &seen); err != nil {
			return false, err.Error()
		}
		return slices.Equal(seen.CrushNodeFlags[host], flags), fmt.Sprint(seen.CrushNodeFlags)
	})
}
