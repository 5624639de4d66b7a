//go:build e2e

// Package heal tells the story of daemons that die: each comes back, the cluster
// is HEALTH_OK again, and no other daemon was restarted.
package heal

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
)

func TestADeletedDaemonComesBackAlone(t *testing.T) {
	h := harness.New(t)
	for _, role := range []string{"mon", "mgr", "osd"} {
		t.Run(role, func(t *testing.T) {
			before := daemons(t, h)
			victim := corev1.Pod{}
			for _, pod := range before {
				if pod.Labels["ceph_daemon_type"] == role {
					victim = pod
				}
			}
			if victim.Name == "" {
				t.Fatalf("no %s runs", role)
			}
			if err := h.Delete(t.Context(), &victim); err != nil {
				t.Fatal(err)
			}
			h.Gone(t, time.Minute, &victim)
			h.Eventually(t, 2*time.Minute, "the "+role+" is back", func(context.Context) (bool, string) {
				return len(daemons(t, h)) == len(before), "a daemon is missing"
			})
			h.AwaitSettled(t, 3*time.Minute)
			assertOthersUntouched(t, before, daemons(t, h), victim.Name)
		})
	}
}

// daemons returns the pods of all Ceph daemons whose containers are ready.
func daemons(t *testing.T, h *harness.Harness) map[string]corev1.Pod {
	t.Helper()
	pods := h.Pods(t.Context(), t, map[string]string{"rook_cluster": harness.Namespace})
	for name, pod := range pods {
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready {
				delete(pods, name)
			}
		}
	}
	return pods
}

func assertOthersUntouched(t *testing.T, before, after map[string]corev1.Pod, victim string) {
	t.Helper()
	for name, was := range before {
		if name == victim {
			continue
		}
		is, present := after[name]
		if !present || is.UID != was.UID {
			t.Errorf("%s was replaced", name)
			continue
		}
		for i, status := range is.Status.ContainerStatuses {
			if status.RestartCount != was.Status.ContainerStatuses[i].RestartCount {
				t.Errorf("%s was restarted", name)
			}
		}
	}
}
