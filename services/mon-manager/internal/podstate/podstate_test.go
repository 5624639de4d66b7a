package podstate

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "mon", Image: "img:v1", State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
	}}
}

func TestOf(t *testing.T) {
	looping := waiting("CrashLoopBackOff", "back-off")
	looping.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Message: "first line\nthe store belongs to another cluster\n"}
	for name, test := range map[string]struct {
		status corev1.PodStatus
		kind   Kind
		says   string
	}{
		"a_pod_that_starts":            {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{waiting("ContainerCreating", "")}}, None, ""},
		"an_image_that_is_not_there":   {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{waiting("ImagePullBackOff", "")}}, Image, `image "img:v1" cannot be pulled`},
		"an_init_container_that_fails": {corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{looping}}, Crashing, "exit code 1: the store belongs to another cluster"},
		"a_missing_secret":             {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{waiting("CreateContainerConfigError", `secret "x" not found`)}}, Config, `secret "x" not found`},
		"a_pod_without_a_node": {corev1.PodStatus{Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available",
		}}}, Unschedulable, "0/3 nodes are available"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Of([]corev1.Pod{{Status: test.status}})
			if got.Kind != test.kind || !strings.Contains(got.Message, test.says) {
				t.Errorf("got %q %q, want %q with %q", got.Kind, got.Message, test.kind, test.says)
			}
		})
	}
}

func TestPodsThatGoDoNotCount(t *testing.T) {
	now := metav1.Now()
	ready := corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	going := []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}, Status: ready}}
	if Ready(going) || Running(going) {
		t.Error("a pod that is being deleted counts as ready")
	}
	if staying := append(going, corev1.Pod{Status: ready}); !Ready(staying) || !Running(staying) {
		t.Error("a ready pod beside it does not count")
	}
}

func TestLongLastWordsAreCut(t *testing.T) {
	if got := line(strings.Repeat("ä", 1000)); len([]rune(got)) != maxTail+1 || !strings.HasSuffix(got, "ä…") {
		t.Errorf("line has %d runes", len([]rune(got)))
	}
}
