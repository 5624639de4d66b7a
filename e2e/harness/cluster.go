package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Cluster returns the CephCluster as it is now.
func (h *Harness) Cluster(ctx context.Context) (*api.CephCluster, error) {
	cluster := &api.CephCluster{}
	err := h.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: Namespace}, cluster)
	return cluster, err
}

// AwaitSettled waits for Ready and HEALTH_OK, and until every service has said
// so about the spec as it is now.
func (h *Harness) AwaitSettled(t *testing.T, within time.Duration) {
	t.Helper()
	h.Eventually(t, within, "cluster is Ready and HEALTH_OK", func(ctx context.Context) (bool, string) {
		cluster, err := h.Cluster(ctx)
		if err != nil {
			return false, err.Error()
		}
		return settled(cluster)
	})
}

func settled(cluster *api.CephCluster) (bool, string) {
	health := ""
	if cluster.Status.CephStatus != nil {
		health = fmt.Sprint(cluster.Status.CephStatus.Health, cluster.Status.CephStatus.Details)
	}
	said := fmt.Sprintf("phase %s, health %s, %s", cluster.Status.Phase, health, cluster.Status.Message)
	if cluster.Status.Phase != api.PhaseReady || !strings.HasPrefix(health, "HEALTH_OK") || cluster.Status.ObservedGeneration != cluster.Generation {
		return false, said
	}
	for _, typ := range []string{
		api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing, api.ConditionDisksSelected,
		api.ConditionFilesystemsServing, api.ConditionObjectStoresServing, api.ConditionProvisioningReady, api.ConditionReady,
	} {
		c := api.FindCondition(cluster.Status.Conditions, typ)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != cluster.Generation {
			return false, fmt.Sprintf("%s; generation %d, %s is %+v", said, cluster.Generation, typ, c)
		}
	}
	for role, running := range cluster.Status.Daemons {
		if running.Version == "" {
			return false, fmt.Sprintf("%s; Ceph does not list %s yet", said, role)
		}
	}
	return true, said
}

// AwaitReadyPods waits until every pod of the namespace that is to stay is ready.
func (h *Harness) AwaitReadyPods(t *testing.T, within time.Duration) {
	t.Helper()
	h.Eventually(t, within, "all pods are ready", func(ctx context.Context) (bool, string) {
		pods := corev1.PodList{}
		if err := h.List(ctx, &pods, client.InNamespace(Namespace)); err != nil {
			return false, err.Error()
		}
		for i := range pods.Items {
			owner := metav1.GetControllerOf(&pods.Items[i])
			if owner != nil && owner.Kind != "Job" && !Ready(&pods.Items[i]) {
				return false, pods.Items[i].Name + " is not"
			}
		}
		return len(pods.Items) > 0, "there is none"
	})
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
	for _, event := range h.events(ctx, t) {
		if event.Type == corev1.EventTypeWarning {
			t.Logf("event about %s %s: %s (%d times): %s", event.Regarding.Kind, event.Regarding.Name, event.Reason, times(&event), event.Note)
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
