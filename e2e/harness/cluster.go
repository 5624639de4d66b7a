package harness

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Cluster returns the CephCluster as it is now.
func (h *Harness) Cluster(ctx context.Context) (*api.CephCluster, error) {
	cluster := &api.CephCluster{}
	err := h.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: Namespace}, cluster)
	return cluster, err
}

// AwaitSettled waits for Ready and HEALTH_OK.
func (h *Harness) AwaitSettled(t *testing.T, within time.Duration) {
	t.Helper()
	h.Eventually(t, within, "cluster is Ready and HEALTH_OK", func(ctx context.Context) (bool, string) {
		cluster, err := h.Cluster(ctx)
		if err != nil {
			return false, err.Error()
		}
		health := ""
		if cluster.Status.CephStatus != nil {
			health = cluster.Status.CephStatus.Health
		}
		settled := cluster.Status.Phase == api.PhaseReady && health == "HEALTH_OK" &&
			cluster.Status.ObservedGeneration == cluster.Generation
		return settled, fmt.Sprintf("phase %s, health %s, %s", cluster.Status.Phase, health, cluster.Status.Message)
	})
}

// Condition returns a condition of the cluster, empty when there is none.
func (h *Harness) Condition(ctx context.Context, typ string) api.Condition {
	cluster, err := h.Cluster(ctx)
	if err != nil {
		return api.Condition{}
	}
	for _, condition := range cluster.Status.Conditions {
		if condition.Type == typ {
			return condition
		}
	}
	return api.Condition{}
}

// Pods returns the running pods that carry the labels, by name.
func (h *Harness) Pods(ctx context.Context, t *testing.T, labels map[string]string) map[string]corev1.Pod {
	t.Helper()
	list := corev1.PodList{}
	if err := h.List(ctx, &list, client.InNamespace(Namespace), client.MatchingLabels(labels)); err != nil {
		t.Fatal(err)
	}
	pods := map[string]corev1.Pod{}
	for _, pod := range list.Items {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp.IsZero() {
			pods[pod.Name] = pod
		}
	}
	return pods
}

// dump logs what a person would look at first when a story fails.
func (h *Harness) dump(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if cluster, err := h.Cluster(ctx); err == nil {
		for _, c := range cluster.Status.Conditions {
			t.Logf("condition %s=%s (%s): %s", c.Type, c.Status, c.Reason, c.Message)
		}
		if cluster.Status.CephStatus != nil {
			t.Logf("ceph: %+v", cluster.Status.CephStatus.Details)
		}
	}
	pods := corev1.PodList{}
	if err := h.List(ctx, &pods); err != nil {
		t.Logf("list pods: %v", err)
		return
	}
	for _, pod := range pods.Items {
		ready, restarts := 0, int32(0)
		why := ""
		for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
			if status.Ready {
				ready++
			}
			restarts += status.RestartCount
			if status.State.Waiting != nil {
				why = status.State.Waiting.Reason + " " + status.State.Waiting.Message
			}
		}
		t.Logf("pod %s/%s: %s, %d ready, %d restarts %s", pod.Namespace, pod.Name, pod.Status.Phase, ready, restarts, why)
	}
	h.logs(ctx, t, pods.Items)
}

// logs shows the end of what our services said.
func (h *Harness) logs(ctx context.Context, t *testing.T, pods []corev1.Pod) {
	t.Helper()
	lines := int64(15)
	for _, pod := range pods {
		if pod.Labels["app.kubernetes.io/component"] != "controller" && pod.Labels["app.kubernetes.io/instance"] != "rook-ceph" {
			continue
		}
		body, err := h.Clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{TailLines: &lines}).DoRaw(ctx)
		if err == nil {
			t.Logf("log of %s:\n%s", pod.Name, body)
		}
	}
}

// Elapsed is how long ago a moment was, for a log line.
func Elapsed(since time.Time) string { return fmt.Sprintf("%.1f s", time.Since(since).Seconds()) }
