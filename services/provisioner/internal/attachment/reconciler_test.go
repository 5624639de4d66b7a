package attachment_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/attachment"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const (
	driver = "rook-ceph.rbd.csi.ceph.com"
	shared = "rook-ceph.cephfs.csi.ceph.com"
	handle = "0001-0009-rook-ceph-0000000000000001-00f6cf51-843c-505c-ae2d-17ca89a08a2b"
)

var (
	errHeld   = status.Error(codes.FailedPrecondition, "volume is held by n1")
	errBroken = errors.New("broken")
)

// world is an API server and a controller service that writes down what it is
// asked.
type world struct {
	t      *testing.T
	client client.Client
	r      *attachment.Reconciler
	asked  []string
	fail   error
	nodes  []string
	// holder has the static volume.
	holder string
}

func (w *world) ControllerPublishVolume(
	_ context.Context, r *csipb.ControllerPublishVolumeRequest,
) (*csipb.ControllerPublishVolumeResponse, error) {
	w.asked = append(w.asked, "publish "+r.GetNodeId())
	return nil, w.fail
}

func (w *world) ControllerUnpublishVolume(
	_ context.Context, r *csipb.ControllerUnpublishVolumeRequest,
) (*csipb.ControllerUnpublishVolumeResponse, error) {
	w.asked = append(w.asked, "unpublish "+r.GetNodeId())
	return nil, nil
}

func (w *world) Nodes(context.Context, string, map[string]string) ([]string, error) {
	return w.nodes, nil
}

func (w *world) Release(_ context.Context, _, node string, evidence volumes.Evidence, _ map[string]string) error {
	w.asked = append(w.asked, "release "+node+" "+[]string{"InUse", "LetGo", "Gone"}[evidence])
	if evidence == volumes.InUse {
		return errHeld
	}
	return nil
}

func (w *world) StaticHolder(context.Context, volumes.Static, map[string]string) (string, error) {
	return w.holder, nil
}

func (w *world) ReleaseStatic(
	_ context.Context, v volumes.Static, node string, evidence volumes.Evidence, _ map[string]string,
) error {
	w.asked = append(w.asked, "release "+v.ClusterID+"/"+v.Pool+"/"+v.Image+" "+node+" "+[]string{"InUse", "LetGo", "Gone"}[evidence])
	if evidence == volumes.InUse {
		return errHeld
	}
	return nil
}

func (w *world) Secret(context.Context, string, string) (map[string]string, error) {
	return map[string]string{}, nil
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-1"},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: handle}},
		},
	}
	w := &world{t: t, client: testenv.Fake(t, append(objects, volume)...).WithStatusSubresource(&storagev1.VolumeAttachment{}).Build()}
	w.r = &attachment.Reconciler{
		Client: w.client, Live: w.client, Drivers: map[string]attachment.Volumes{driver: w, shared: nil}, Secrets: w,
		Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	}
	return w
}

func attach(node string) *storagev1.VolumeAttachment {
	return &storagev1.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{Name: "csi-" + node},
		Spec: storagev1.VolumeAttachmentSpec{
			Attacher: driver, NodeName: node, Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: ptr.To("pvc-1")},
		},
	}
}

func node(edit ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	for _, e := range edit {
		e(n)
	}
	return n
}

func using(n *corev1.Node) {
	n.Status.VolumesInUse = []corev1.UniqueVolumeName{corev1.UniqueVolumeName("kubernetes.io/csi/" + driver + "^" + handle)}
}

func outOfService(n *corev1.Node) {
	n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Effect: corev1.TaintEffectNoExecute}}
}

func (w *world) pass(name string) error {
	_, err := w.after(name)
	return err
}

// after reconciles and returns when that is asked for again.
func (w *world) after(name string) (time.Duration, error) {
	result, err := w.r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: name}})
	return result.RequeueAfter, err
}

// get returns the attachment to n1, or nil.
func (w *world) get() *storagev1.VolumeAttachment {
	w.t.Helper()
	var a storagev1.VolumeAttachment
	err := w.client.Get(w.t.Context(), client.ObjectKey{Name: "csi-n1"}, &a)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return &a
}

func TestAttach(t *testing.T) {
	t.Parallel()
	t.Run("publishes_once_and_keeps_the_object_until_it_is_detached", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		for range 2 {
			if err := w.pass("csi-n1"); err != nil {
				t.Fatal(err)
			}
		}
		a := w.get()
		if !a.Status.Attached || a.Status.AttachError != nil {
			t.Errorf("status %+v", a.Status)
		}
		if diff := cmp.Diff([]string{"external-attacher/rook-ceph-rbd-csi-ceph-com"}, a.Finalizers); diff != "" {
			t.Errorf("finalizers: want -, got +:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"publish n1"}, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
	})
	t.Run("says_why_not_and_says_it_once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.fail = errHeld
		if after, err := w.after("csi-n1"); err != nil || after != 10*time.Second {
			t.Fatalf("asks again after %s, %v", after, err)
		}
		first := w.get()
		if first.Status.Attached || first.Status.AttachError == nil || first.Status.AttachError.Message != "volume is held by n1" {
			t.Errorf("status %+v", first.Status)
		}
		if after, err := w.after("csi-n1"); err != nil || after != 10*time.Second {
			t.Fatalf("asks again after %s, %v", after, err)
		}
		if again := w.get(); again.ResourceVersion != first.ResourceVersion {
			t.Error("the same refusal was written twice")
		}
		w.fail = nil
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if a := w.get(); !a.Status.Attached || a.Status.AttachError != nil {
			t.Errorf("status %+v", a.Status)
		}
	})
	t.Run("frees_the_volume_from_a_node_whose_attachment_vanished", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.nodes = []string{"gone"}
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		want := []string{"release gone Gone", "unpublish gone", "publish n1"}
		if diff := cmp.Diff(want, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
	})
	t.Run("returns_what_is_no_refusal", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.fail = errBroken
		if after, err := w.after("csi-n1"); !errors.Is(err, errBroken) || after != 0 {
			t.Errorf("asks again after %s, %v", after, err)
		}
		if a := w.get(); a.Status.AttachError == nil || a.Status.AttachError.Message != "broken" {
			t.Errorf("status %+v", a.Status)
		}
	})
	t.Run("frees_the_volume_from_a_vanished_node_behind_one_that_is_wanted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), attach("n2"), node())
		w.nodes = []string{"n2", "vanished"}
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		want := []string{"release vanished Gone", "unpublish vanished", "publish n1"}
		if diff := cmp.Diff(want, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
	})
	t.Run("leaves_a_node_alone_that_has_an_attachment", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), attach("n2"), node())
		w.nodes = []string{"n2"}
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"publish n1"}, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
	})
	t.Run("ignores_what_is_not_ours", func(t *testing.T) {
		t.Parallel()
		foreign := attach("n1")
		foreign.Spec.Attacher = "other"
		foreign.Spec.Source.PersistentVolumeName = ptr.To("nothing")
		w := newWorld(t, foreign)
		err := w.pass("csi-n1")
		if len(w.asked) > 0 {
			t.Errorf("asked %v, %v", w.asked, err)
		}
	})
}

func TestDetach(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		nodes []client.Object
		asked []string
		kept  bool
	}{
		"frees_a_volume_that_the_node_let_go_of": {
			[]client.Object{node()}, []string{"release n1 LetGo", "unpublish n1"}, false},
		"keeps_a_volume_that_the_node_still_uses": {
			[]client.Object{node(using)}, []string{"release n1 InUse"}, true},
		"takes_a_volume_from_a_node_that_is_out_of_service": {
			[]client.Object{node(using, outOfService)}, []string{"release n1 Gone", "unpublish n1"}, false},
		"takes_a_volume_from_a_node_that_was_deleted": {
			nil, []string{"release n1 Gone", "unpublish n1"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, append(tc.nodes, attach("n1"))...)
			if err := w.pass("csi-n1"); err != nil {
				t.Fatal(err)
			}
			if err := w.client.Delete(t.Context(), w.get()); err != nil {
				t.Fatal(err)
			}
			w.asked = nil
			after, err := w.after("csi-n1")
			if err != nil || (after == 10*time.Second) != tc.kept {
				t.Errorf("kept: want %t, asks again after %s, %v", tc.kept, after, err)
			}
			if diff := cmp.Diff(tc.asked, w.asked); diff != "" {
				t.Errorf("asked: want -, got +:\n%s", diff)
			}
			a := w.get()
			if (a != nil) != tc.kept {
				t.Errorf("object left: %t, want %t", a != nil, tc.kept)
			}
			if a != nil && (a.Status.DetachError == nil || !a.Status.Attached || !strings.Contains(a.Status.DetachError.Message, "n1")) {
				t.Errorf("status %+v", a.Status)
			}
		})
	}
}

func TestAttach_of_a_volume_that_any_node_may_use_asks_nobody(t *testing.T) {
	t.Parallel()
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-shared"},
		Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: corev1.PersistentVolumeSource{
			CSI: &corev1.CSIPersistentVolumeSource{Driver: shared, VolumeHandle: handle}}},
	}
	a := attach("n1")
	a.Spec.Attacher, a.Spec.Source.PersistentVolumeName = shared, ptr.To("pvc-shared")
	w := newWorld(t, a, volume)
	if err := w.pass("csi-n1"); err != nil || !w.get().Status.Attached {
		t.Errorf("attach: %v, %+v", err, w.get().Status)
	}
	if err := w.client.Delete(t.Context(), w.get()); err != nil {
		t.Fatal(err)
	}
	if err := w.pass("csi-n1"); err != nil || w.get() != nil || len(w.asked) > 0 {
		t.Errorf("detach: %v, %+v, asked %v", err, w.get(), w.asked)
	}
}

func TestRetriesOfAVolumeDoNotDriftApart(t *testing.T) {
	t.Parallel()
	limiter := attachment.Options().RateLimiter
	request := ctrl.Request{NamespacedName: client.ObjectKey{Name: "csi-n1"}}
	if first := limiter.When(request); first < 10*time.Millisecond {
		t.Errorf("the first retry comes after %s", first)
	}
	for range 50 {
		if after := limiter.When(request); after > 15*time.Second {
			t.Fatalf("a retry comes after %s", after)
		}
	}
}

func TestTheEndOfAnAttachmentWakesThoseThatWaitForItsVolume(t *testing.T) {
	t.Parallel()
	attached, elsewhere, foreign := attach("n3"), attach("n4"), attach("n5")
	attached.Status.Attached = true
	elsewhere.Spec.Source.PersistentVolumeName = ptr.To("pvc-2")
	foreign.Spec.Attacher = "other"
	w := newWorld(t, attach("n2"), attached, elsewhere, foreign)
	want := []ctrl.Request{{NamespacedName: client.ObjectKey{Name: "csi-n2"}}}
	if diff := cmp.Diff(want, w.r.Waiting(t.Context(), attach("n1"))); diff != "" {
		t.Errorf("woken: want -, got +:\n%s", diff)
	}
}
