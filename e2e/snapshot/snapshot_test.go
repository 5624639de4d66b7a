//go:build e2e

// Package snapshot tells the story of snapshots of a shared file system: what a
// volume held comes back in other volumes, also after the volume is gone, and
// nothing is left when all of them are deleted.
package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// soon is how long a service may take to say what is wrong.
	soon = 40 * time.Second
	// gone is how long a deletion may take that was refused some times before.
	gone = 2 * time.Minute
)

// What pods do with a volume.
const (
	fill   = `head -c 8388608 /dev/urandom > /data/blob; sha256sum /data/blob > /data/sum; sync`
	change = `echo more >> /data/blob; echo later > /data/later; sync`
	// asTaken fails unless the volume holds what it held when the snapshot was taken.
	asTaken = `sha256sum --quiet -c /data/sum; test ! -e /data/later; `
	// asChanged fails unless it holds the change, too.
	asChanged = `grep -q later /data/later; test "$(stat -c %s /data/blob)" = 8388613`
	writable  = `echo mine > /data/mine; sync`
	readOnly  = `if touch /data/mine; then exit 1; fi`
)

func TestWhatAVolumeHeldComesBack(t *testing.T) {
	h := harness.New(t)
	if err := snapshotv1.AddToScheme(scheme.Scheme); err != nil {
		t.Fatal(err)
	}
	before := everything(t, h)
	source := claim("snap-source", nil)
	h.CreateAll(t, source)
	h.AwaitBound(t, source)
	use(t, h, source, fill)
	taken := take(t, h, "snap", local.Filesystem, source)
	awaitReady(t, h, taken)
	use(t, h, source, change)

	restored, shown, cloned := claim("snap-restored", fromSnapshot(taken)), claim("snap-shown", fromSnapshot(taken)), claim("snap-cloned", fromClaim(source))
	shown.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadOnlyMany}
	t.Run("in copies of it and of the volume", func(t *testing.T) {
		h.CreateAll(t, restored, shown, cloned)
		h.AwaitBound(t, restored)
		h.AwaitBound(t, cloned)
		use(t, h, restored, asTaken+writable)
		use(t, h, cloned, asChanged)
	})
	t.Run("a class for a cluster that does not exist is refused", func(t *testing.T) { assertRefused(t, h, source) })
	late := claim("snap-late", fromSnapshot(taken))
	t.Run("after the volume is gone", func(t *testing.T) {
		h.Discard(t, source)
		h.CreateAll(t, late)
		h.AwaitBound(t, shown)
		use(t, h, shown, asTaken+readOnly)
		h.AwaitBound(t, late)
		use(t, h, late, asTaken)
	})
	t.Run("a snapshot that a volume shows waits for it", func(t *testing.T) {
		if err := h.Delete(t.Context(), taken); err != nil {
			t.Fatal(err)
		}
		awaitError(t, h, taken, shown.Spec.VolumeName)
		use(t, h, shown, asTaken)
		h.Discard(t, shown)
		h.Gone(t, gone, taken)
	})
	t.Run("and nothing is left", func(t *testing.T) {
		if left := beyond(everything(t, h), before); len(left) != 6 {
			t.Errorf("want 3 subvolumes and 3 records, Ceph has %v", left)
		}
		for _, each := range []*corev1.PersistentVolumeClaim{restored, cloned, late} {
			h.Discard(t, each)
		}
		var contents snapshotv1.VolumeSnapshotContentList
		if err := h.List(t.Context(), &contents); err != nil || len(contents.Items) > 0 {
			t.Errorf("contents %v, %v", contents.Items, err)
		}
		h.Eventually(t, soon, "Ceph has nothing of it", func(context.Context) (bool, string) {
			left := beyond(everything(t, h), before)
			return len(left) == 0, strings.Join(left, ", ")
		})
	})
}

func beyond(now, before []string) []string {
	return slices.DeleteFunc(now, func(name string) bool { return slices.Contains(before, name) })
}

func claim(name string, source *corev1.TypedObjectReference) *corev1.PersistentVolumeClaim {
	made := harness.SharedClaim(name, local.Filesystem)
	made.Spec.DataSourceRef = source
	return made
}

func fromSnapshot(taken *snapshotv1.VolumeSnapshot) *corev1.TypedObjectReference {
	return &corev1.TypedObjectReference{APIGroup: ptr.To(snapshotv1.GroupName), Kind: "VolumeSnapshot", Name: taken.Name}
}

func fromClaim(source *corev1.PersistentVolumeClaim) *corev1.TypedObjectReference {
	return &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: source.Name}
}

// use runs a script with a volume to its end.
func use(t *testing.T, h *harness.Harness, claim *corev1.PersistentVolumeClaim, script string) {
	t.Helper()
	pod := h.User(claim.Name, claim, script)
	h.CreateAll(t, pod)
	h.AwaitPhase(t, pod, corev1.PodSucceeded)
	h.Remove(t, time.Minute, pod)
}

func take(t *testing.T, h *harness.Harness, name, class string, source *corev1.PersistentVolumeClaim) *snapshotv1.VolumeSnapshot {
	t.Helper()
	taken := &snapshotv1.VolumeSnapshot{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: source.Namespace},
		Spec: snapshotv1.VolumeSnapshotSpec{
			VolumeSnapshotClassName: ptr.To(class), Source: snapshotv1.VolumeSnapshotSource{PersistentVolumeClaimName: ptr.To(source.Name)}},
	}
	h.CreateAll(t, taken)
	return taken
}

func awaitReady(t *testing.T, h *harness.Harness, taken *snapshotv1.VolumeSnapshot) {
	t.Helper()
	h.Eventually(t, soon, "snapshot "+taken.Name+" is ready", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(taken), taken); err != nil {
			return false, err.Error()
		}
		return taken.Status != nil && ptr.Deref(taken.Status.ReadyToUse, false), fmt.Sprintf("%+v", taken.Status)
	})
	if size := taken.Status.RestoreSize; size == nil || size.String() != "1Gi" {
		t.Errorf("the snapshot needs %v to be restored", size)
	}
}

// awaitError waits until the content of a snapshot says why it stays.
func awaitError(t *testing.T, h *harness.Harness, taken *snapshotv1.VolumeSnapshot, word string) {
	t.Helper()
	h.Eventually(t, soon, "snapshot "+taken.Name+" says why", func(ctx context.Context) (bool, string) {
		var contents snapshotv1.VolumeSnapshotContentList
		err := h.List(ctx, &contents)
		said := fmt.Sprint(err)
		for _, content := range contents.Items {
			if content.Spec.VolumeSnapshotRef.Name == taken.Name && content.Status != nil && content.Status.Error != nil {
				said += ptr.Deref(content.Status.Error.Message, "")
			}
		}
		return strings.Contains(said, word), said
	})
}

// assertRefused takes a snapshot with a class that names no cluster.
func assertRefused(t *testing.T, h *harness.Harness, source *corev1.PersistentVolumeClaim) {
	t.Helper()
	class := &snapshotv1.VolumeSnapshotClass{}
	if err := h.Get(t.Context(), client.ObjectKey{Name: local.Filesystem}, class); err != nil {
		t.Fatal(err)
	}
	class.ObjectMeta = metav1.ObjectMeta{Name: "snap-nowhere"}
	class.Parameters["clusterID"] = "nowhere"
	h.CreateAll(t, class)
	refused := take(t, h, "snap-refused", class.Name, source)
	h.Eventually(t, soon, "the snapshot says why", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(refused), refused); err != nil {
			return false, err.Error()
		}
		said := fmt.Sprintf("%+v", refused.Status)
		if refused.Status != nil && refused.Status.Error != nil {
			said = ptr.Deref(refused.Status.Error.Message, "")
		}
		return strings.Contains(said, "VolumeSnapshotClass parameter `clusterID`") && strings.Contains(said, "nowhere"), said
	})
	h.Remove(t, soon, refused)
	h.Remove(t, soon, class)
}

// everything names what Ceph has of volumes and snapshots of the file system: subvolumes,
// those that only keep snapshots among them, and records of the journal, but for its
// indices.
func everything(t *testing.T, h *harness.Harness) []string {
	t.Helper()
	body, err := h.Ceph(t.Context(), "fs", "subvolume", "ls", local.Filesystem, "--group_name", "csi", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	records, err := h.Toolbox(t.Context(), "rados", "--pool", local.Filesystem+"-metadata", "--namespace", "csi", "ls")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.DeleteFunc(strings.Fields(string(records)), func(name string) bool { return strings.HasSuffix(name, "s.default") })
	for _, subvolume := range list {
		names = append(names, "subvolume "+subvolume.Name)
	}
	return names
}
