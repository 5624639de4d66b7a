package attachment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// makeStatic turns the PersistentVolume into one that somebody made by hand.
func (w *world) makeStatic(attributes map[string]string) {
	w.t.Helper()
	var volume corev1.PersistentVolume
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Name: "pvc-1"}, &volume); err != nil {
		w.t.Fatal(err)
	}
	volume.Spec.CSI.VolumeAttributes = attributes
	if err := w.client.Update(w.t.Context(), &volume); err != nil {
		w.t.Fatal(err)
	}
}

func static() map[string]string {
	return map[string]string{"staticVolume": "true", "clusterID": "rook-ceph", "pool": "replicapool", "imageName": "old"}
}

func TestStaticVolume(t *testing.T) {
	t.Parallel()
	const place = "release rook-ceph/replicapool/old "
	t.Run("is_freed_from_a_node_that_let_go", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.makeStatic(static())
		w.holder = "n1"
		if err := w.pass("csi-n1"); err != nil || len(w.asked) > 0 {
			t.Fatalf("asked %v, %v", w.asked, err)
		}
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{place + "n1 LetGo"}, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
		if w.get() != nil {
			t.Error("the attachment is left")
		}
	})
	t.Run("stays_attached_to_a_node_that_uses_it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node(using))
		w.makeStatic(static())
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if a := w.get(); a == nil || a.Status.DetachError == nil {
			t.Errorf("want the refusal in the status, got %+v", a)
		}
	})
	t.Run("is_freed_from_a_holder_whose_attachment_vanished", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.makeStatic(static())
		w.holder = "gone"
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{place + "gone Gone"}, w.asked); diff != "" {
			t.Errorf("asked: want -, got +:\n%s", diff)
		}
	})
	t.Run("is_left_to_a_holder_that_has_an_attachment", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), attach("n2"), node())
		w.makeStatic(static())
		w.holder = "n2"
		if err := w.pass("csi-n1"); err != nil || len(w.asked) > 0 {
			t.Errorf("asked %v, %v", w.asked, err)
		}
	})
	t.Run("that_no_node_can_have_attached_needs_no_release", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, attach("n1"), node())
		w.makeStatic(map[string]string{"staticVolume": "true"})
		if err := w.pass("csi-n1"); err != nil {
			t.Fatal(err)
		}
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		if err := w.pass("csi-n1"); err != nil || len(w.asked) > 0 || w.get() != nil {
			t.Errorf("asked %v, %v", w.asked, err)
		}
	})
}
