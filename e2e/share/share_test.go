//go:build e2e

// Package share tells the story of a shared file system: pods on several nodes
// write to one file and read each other's lines, while metadata servers die and
// their number changes.
package share

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// stall is how long service may pause when an active metadata server dies.
	stall = 30 * time.Second
	// ranks is how long a change of the number of active metadata servers may take.
	ranks = 2 * time.Minute
)

// append adds one line after the other, each under a lock that all nodes see, and
// says which are safe on disk.
const script = `n=0
while true; do
  n=$((n+1))
  exec 9>>/data/lock
  flock 9
  echo "$HOSTNAME $n" | dd of=/data/log oflag=append conv=notrunc,fsync status=none
  exec 9>&-
  echo "$n"
  sleep 0.1
done`

func TestNodesShareAFileThatOutlivesMetadataServers(t *testing.T) {
	h := harness.New(t)
	h.AwaitServed(t, time.Minute)
	claim := harness.SharedClaim("share", local.Filesystem)
	h.CreateAll(t, claim)
	h.AwaitBound(t, claim)
	var pods []*corev1.Pod
	for _, node := range []string{"node1", "node2"} {
		pod := h.User("share-"+node, claim, script)
		pod.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node}
		h.CreateAll(t, pod)
		pods = append(pods, pod)
	}
	for _, pod := range pods {
		h.AwaitPhase(t, pod, corev1.PodRunning)
	}
	writers := follow(h, pods)

	t.Run("each reads what the other writes", func(t *testing.T) {
		writers.assertGoesOn(t, 20)
		writers.assertNothingLost(t)
	})
	t.Run("an active metadata server is killed", func(t *testing.T) {
		before := h.Daemons(t).Without("rook_object_store", "my-store")
		victim := active(t, h)
		h.Localkube(t, "exec", "--node", victim.Spec.NodeName, "--", "pkill", "-9", "-f", "ceph-mds .*--id="+victim.Labels["ceph_daemon_id"])
		died := time.Now()
		h.Eventually(t, 2*time.Minute, "another metadata server is active", func(ctx context.Context) (bool, string) {
			next := holder(ctx, h)
			return next != "" && next != victim.Labels["ceph_daemon_id"], "rank 0 is held by " + next
		})
		writers.assertGoesOn(t, 20)
		pause := writers.pause(t, died)
		t.Logf("writers paused for %.1f s when the active metadata server was killed", pause.Seconds())
		if pause > stall {
			t.Errorf("writers paused for %s, want at most %s", pause, stall)
		}
		h.AwaitServed(t, time.Minute)
		writers.assertNothingLost(t)
		before.AssertUntouched(t, h.Daemons(t), victim.Name)
	})
	for _, count := range []int32{2, 1} {
		t.Run(fmt.Sprintf("%d active metadata servers", count), func(t *testing.T) {
			began := time.Now()
			h.ChangeFilesystem(t, func(spec *api.FilesystemSpec) { spec.MetadataServer.ActiveCount = count })
			h.AwaitServed(t, ranks)
			h.Eventually(t, ranks, "there are two for each rank", func(context.Context) (bool, string) {
				running := h.Daemons(t).Of("mds")
				return len(running) == int(2*count), fmt.Sprintf("%d run", len(running))
			})
			writers.assertGoesOn(t, 20)
			t.Logf("writers paused for %.1f s at most", writers.pause(t, began).Seconds())
			writers.assertNothingLost(t)
		})
	}
	for _, pod := range pods {
		h.Remove(t, time.Minute, pod)
	}
	h.Discard(t, claim)
	h.AwaitSettled(t, 2*time.Minute)
}

// holder is who holds rank 0.
func holder(ctx context.Context, h *harness.Harness) string {
	filesystem, err := h.Filesystem(ctx)
	if err != nil || filesystem.Status == nil {
		return ""
	}
	for _, rank := range filesystem.Status.Ranks {
		if rank.Rank == 0 && rank.State == "up:active" {
			return rank.Daemon
		}
	}
	return ""
}

// active is the pod of the metadata server that holds rank 0.
func active(t *testing.T, h *harness.Harness) corev1.Pod {
	t.Helper()
	name := holder(t.Context(), h)
	for _, pod := range h.Daemons(t).Of("mds") {
		if pod.Labels["ceph_daemon_id"] == name {
			return pod
		}
	}
	t.Fatalf("no pod of metadata server %q serves", name)
	return corev1.Pod{}
}

// writers are the pods that append to one file.
type writers struct {
	*harness.Harness
	pods []*corev1.Pod
}

func follow(h *harness.Harness, pods []*corev1.Pod) writers { return writers{h, pods} }

// line is what a pod said, and when.
type line struct {
	at   time.Time
	text string
}

// said is all that a pod has said.
func (w writers) said(ctx context.Context, pod *corev1.Pod) ([]line, error) {
	body, err := w.Clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Timestamps: true}).DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	var lines []line
	for text := range strings.Lines(string(body)) {
		stamp, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{at, rest})
	}
	return lines, nil
}

// assertGoesOn waits until every pod, never restarted, has written so many lines
// more.
func (w writers) assertGoesOn(t *testing.T, more int) {
	t.Helper()
	for _, pod := range w.pods {
		before, err := w.said(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		w.Eventually(t, time.Minute, fmt.Sprintf("%s writes %d lines more", pod.Name, more), func(ctx context.Context) (bool, string) {
			now, err := w.said(ctx, pod)
			return len(now) >= len(before)+more, fmt.Sprintf("%d lines, then %d, %v", len(before), len(now), err)
		})
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil || pod.Status.Phase != corev1.PodRunning {
			t.Fatalf("pod %s is %s: %v", pod.Name, pod.Status.Phase, err)
		}
	}
}

// pause is the longest time since then without a line of one pod.
func (w writers) pause(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	longest := time.Duration(0)
	for _, pod := range w.pods {
		lines, err := w.said(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		for i := range lines {
			if i > 0 && lines[i].at.After(since) {
				longest = max(longest, lines[i].at.Sub(lines[i-1].at))
			}
		}
	}
	return longest
}

// assertNothingLost reads the file in every pod: each line that a pod called
// safe is there once, in order, on all nodes.
func (w writers) assertNothingLost(t *testing.T) {
	t.Helper()
	safe := map[string]int{}
	for _, pod := range w.pods {
		lines, err := w.said(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		safe[pod.Name] = len(lines)
	}
	for _, reader := range w.pods {
		body, err := w.Exec(t.Context(), reader, []string{"cat", "/data/log"})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for text := range strings.Lines(string(body)) {
			name, number, _ := strings.Cut(strings.TrimSpace(text), " ")
			found[name]++
			if number != fmt.Sprint(found[name]) {
				t.Fatalf("%s reads line %q of %s where it wrote %d", reader.Name, number, name, found[name])
			}
		}
		for name, count := range safe {
			if found[name] < count {
				t.Errorf("%s reads %d lines of %s, which wrote %d", reader.Name, found[name], name, count)
			}
		}
	}
}
