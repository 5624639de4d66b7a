package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Expected is a condition that a story waits for: its type, status and reason,
// and words that its message must hold. An empty reason is any.
type Expected struct {
	Type   string
	Status metav1.ConditionStatus
	Reason string
	Words  []string
}

// Met tells whether one of the conditions is the expected one.
func (e Expected) Met(conditions []api.Condition) (bool, string) {
	for _, c := range conditions {
		if c.Type == e.Type {
			met := c.Status == e.Status && (e.Reason == "" || c.Reason == e.Reason) && holds(c.Message, e.Words)
			return met, fmt.Sprintf("%s is %s (%s): %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return false, "no condition " + e.Type
}

func holds(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// AwaitCondition waits for a condition of the cluster.
func (h *Harness) AwaitCondition(t *testing.T, within time.Duration, want Expected) {
	t.Helper()
	h.Eventually(t, within, fmt.Sprintf("%s is %s (%s)", want.Type, want.Status, want.Reason), func(ctx context.Context) (bool, string) {
		cluster, err := h.Cluster(ctx)
		if err != nil {
			return false, err.Error()
		}
		return want.Met(cluster.Status.Conditions)
	})
}

// Change edits the spec of the cluster and returns what puts the former one
// back. The end of the test puts it back, too.
func (h *Harness) Change(t *testing.T, edit func(*api.ClusterSpec)) (restore func()) {
	t.Helper()
	former := h.edit(t, edit)
	restore = sync.OnceFunc(func() {
		t.Helper()
		h.edit(t, func(spec *api.ClusterSpec) { *spec = *former.DeepCopy() })
	})
	t.Cleanup(restore)
	return restore
}

func (h *Harness) edit(t *testing.T, edit func(*api.ClusterSpec)) *api.ClusterSpec {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	cluster, err := h.Cluster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	former := cluster.DeepCopy()
	edit(&cluster.Spec)
	if err := h.Patch(ctx, cluster, client.MergeFrom(former)); err != nil {
		t.Fatalf("edit CephCluster: %v", err)
	}
	return &former.Spec
}

// Mark is a moment from which events are counted.
type Mark struct {
	known map[string]int32
}

// Mark notes the events that there are already.
func (h *Harness) Mark(t *testing.T) Mark {
	t.Helper()
	mark := Mark{known: map[string]int32{}}
	for _, event := range h.events(t.Context(), t) {
		mark.known[event.Name] = times(&event)
	}
	return mark
}

// AwaitOneWarning waits for a warning about an object with these words. It fails
// the test when the warning came more than once since the mark, or another one
// about the same object.
func (h *Harness) AwaitOneWarning(t *testing.T, since Mark, about client.Object, reason string, words ...string) {
	t.Helper()
	h.Eventually(t, 10*time.Second, "a warning "+reason, func(ctx context.Context) (bool, string) {
		return h.warned(ctx, t, since, about, reason, words) == 1, "there is none"
	})
}

// AssertOneWarning is for when everything is over: no second warning came.
func (h *Harness) AssertOneWarning(t *testing.T, since Mark, about client.Object, reason string) {
	t.Helper()
	if count := h.warned(t.Context(), t, since, about, reason, nil); count != 1 {
		t.Errorf("warning %s about %s came %d times", reason, about.GetName(), count)
	}
}

// warned counts the warning and fails the test for any other.
func (h *Harness) warned(ctx context.Context, t *testing.T, since Mark, about client.Object, reason string, words []string) int32 {
	t.Helper()
	count := int32(0)
	for _, event := range h.events(ctx, t) {
		fresh := times(&event) - since.known[event.Name]
		if fresh <= 0 || event.Type != corev1.EventTypeWarning || event.Regarding.Kind == "Pod" || event.Regarding.Name != about.GetName() {
			continue
		}
		if event.Reason != reason || !holds(event.Note, words) {
			t.Errorf("warning about %s: %s: %s; want %s with %q", about.GetName(), event.Reason, event.Note, reason, words)
			continue
		}
		count += fresh
	}
	return count
}

func times(event *eventsv1.Event) int32 {
	if event.Series != nil {
		return event.Series.Count
	}
	return max(1, event.DeprecatedCount)
}

// events are those of the cluster's namespace and those about objects that are
// in none.
func (h *Harness) events(ctx context.Context, t *testing.T) []eventsv1.Event {
	t.Helper()
	var all []eventsv1.Event
	for _, namespace := range []string{Namespace, metav1.NamespaceDefault} {
		list := eventsv1.EventList{}
		if err := h.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		all = append(all, list.Items...)
	}
	return all
}
