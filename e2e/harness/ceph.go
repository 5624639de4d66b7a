package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// toolbox labels the pod with Ceph's own commands.
const toolbox = "rook-ceph-tools"

// Ceph runs a command of Ceph in the toolbox. What Ceph says of itself does not
// pass through any of our services.
func (h *Harness) Ceph(ctx context.Context, args ...string) ([]byte, error) {
	return h.Toolbox(ctx, append([]string{"ceph", "--connect-timeout", "10"}, args...)...)
}

// Toolbox runs a command in the toolbox.
func (h *Harness) Toolbox(ctx context.Context, command ...string) ([]byte, error) {
	pods := corev1.PodList{}
	if err := h.List(ctx, &pods, client.InNamespace(Namespace), client.MatchingLabels{"app": toolbox}); err != nil {
		return nil, err
	}
	for i := range pods.Items {
		if Ready(&pods.Items[i]) {
			return h.Exec(ctx, &pods.Items[i], command)
		}
	}
	return nil, fmt.Errorf("run %s: no toolbox is ready", strings.Join(command, " "))
}

// Exec runs a command in the first container of a pod and returns what it prints.
func (h *Harness) Exec(ctx context.Context, pod *corev1.Pod, command []string) ([]byte, error) {
	request := h.Clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: pod.Spec.Containers[0].Name, Command: command, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(h.config, "GET", request.URL().String())
	if err != nil {
		return nil, fmt.Errorf("run %v: %w", command, err)
	}
	var out, words bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &words}); err != nil {
		return nil, fmt.Errorf("run %v: %w: %s", command, err, words.String())
	}
	return out.Bytes(), nil
}

// cephStatus is the part of Ceph's own status that tells whether all serve.
type cephStatus struct {
	Health struct {
		Status string `json:"status"`
	} `json:"health"`
	QuorumNames []string `json:"quorum_names"`
	OSDMap      struct {
		Total int `json:"num_osds"`
		Up    int `json:"num_up_osds"`
		In    int `json:"num_in_osds"`
	} `json:"osdmap"`
	MgrMap struct {
		Available bool `json:"available"`
		Standbys  int  `json:"num_standbys"`
	} `json:"mgrmap"`
}

// AwaitCeph waits until Ceph itself says that these many daemons serve and
// that all is well.
func (h *Harness) AwaitCeph(t *testing.T, within time.Duration, mons, mgrs, osds int) {
	t.Helper()
	h.Eventually(t, within, fmt.Sprintf("Ceph says HEALTH_OK with %d mons, %d mgrs, %d OSDs", mons, mgrs, osds), func(ctx context.Context) (bool, string) {
		body, err := h.Ceph(ctx, "status", "--format", "json")
		if err != nil {
			return false, err.Error()
		}
		seen := cephStatus{}
		if err := json.Unmarshal(body, &seen); err != nil {
			return false, fmt.Sprintf("%v in %s", err, body)
		}
		whole := len(seen.QuorumNames) == mons && seen.MgrMap.Available && seen.MgrMap.Standbys+1 == mgrs &&
			seen.OSDMap.Total == osds && seen.OSDMap.Up == osds && seen.OSDMap.In == osds
		return whole && seen.Health.Status == "HEALTH_OK", fmt.Sprintf("%+v", seen)
	})
}
