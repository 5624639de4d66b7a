package harness

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Daemons are the pods of Ceph daemons whose containers are all ready, by name.
type Daemons map[string]corev1.Pod

// Daemons returns the monitors, managers, OSDs, metadata servers and gateways that
// serve now.
func (h *Harness) Daemons(t *testing.T) Daemons {
	t.Helper()
	list := corev1.PodList{}
	if err := h.List(t.Context(), &list, client.InNamespace(Namespace), client.MatchingLabels{"rook_cluster": Namespace}); err != nil {
		t.Fatal(err)
	}
	daemons := Daemons{}
	for _, pod := range list.Items {
		if pod.Labels["ceph_daemon_type"] != "" && Ready(&pod) {
			daemons[pod.Name] = pod
		}
	}
	return daemons
}

// Ready tells whether all containers of a pod are ready and it stays.
func Ready(pod *corev1.Pod) bool {
	if !pod.DeletionTimestamp.IsZero() || pod.Status.Phase != corev1.PodRunning || len(pod.Status.ContainerStatuses) == 0 {
		return false
	}
	return !slices.ContainsFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return !s.Ready })
}

// Of returns the daemons of a role.
func (d Daemons) Of(role string) []corev1.Pod {
	var found []corev1.Pod
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if d[name].Labels["ceph_daemon_type"] == role {
			found = append(found, d[name])
		}
	}
	return found
}

// Without leaves out those with a label, to which another story may do something.
func (d Daemons) Without(label, value string) Daemons {
	rest := maps.Clone(d)
	maps.DeleteFunc(rest, func(_ string, pod corev1.Pod) bool { return pod.Labels[label] == value })
	return rest
}

// AssertUntouched fails the test for each daemon that was replaced, restarted
// or stopped since, except those that are named.
func (d Daemons) AssertUntouched(t *testing.T, now Daemons, except ...string) {
	t.Helper()
	for name, was := range d {
		if slices.Contains(except, name) {
			continue
		}
		is, present := now[name]
		if !present || is.UID != was.UID {
			t.Errorf("%s was replaced or does not serve", name)
			continue
		}
		if before, after := restarts(&was), restarts(&is); before != after {
			t.Errorf("%s was restarted %d times", name, after-before)
		}
	}
}

func restarts(pod *corev1.Pod) int32 {
	sum := int32(0)
	for _, status := range pod.Status.ContainerStatuses {
		sum += status.RestartCount
	}
	return sum
}

// Serving deletes nothing and waits for nothing: it returns the pod of a
// service that is ready, by the name of its workload.
func (h *Harness) Serving(t *testing.T, service string) []corev1.Pod {
	t.Helper()
	list := corev1.PodList{}
	if err := h.List(t.Context(), &list, client.InNamespace(Namespace), client.MatchingLabels{"app.kubernetes.io/name": service}); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return !Ready(&pod) || metav1.GetControllerOf(&pod) == nil })
}
