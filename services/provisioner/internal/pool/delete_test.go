package pool_test

import (
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

// open opens a namespace of a pool of the images' fake.
func (w *world) open(name, namespace string) storage.Pool {
	w.t.Helper()
	opened, err := w.data.Pool(w.t.Context(), name, namespace)
	if err != nil {
		w.t.Fatal(err)
	}
	return opened
}

// image makes an image in pool "replicated" whose data is in pool "data".
func (w *world) image(namespace, name string) {
	w.t.Helper()
	err := w.open("replicated", namespace).CreateImage(w.t.Context(), name, storage.Layout{Size: 1, DataPool: "data"})
	if err != nil {
		w.t.Fatal(err)
	}
}

// remove asks for the deletion of the pool's object and reconciles.
func (w *world) remove() *api.CephBlockPool {
	w.t.Helper()
	if err := w.client.Delete(w.t.Context(), w.get()); err != nil {
		w.t.Fatal(err)
	}
	return w.settle()
}

// blocked checks that the pool is there and that its object says why.
func (w *world) blocked(p *api.CephBlockPool, words ...string) {
	w.t.Helper()
	if _, ok := w.ceph.Pool("data"); !ok || p == nil || w.ceph.Sent("osd pool delete") > 0 {
		w.t.Fatal("the pool was deleted")
	}
	w.expect(p, api.ConditionPoolDeletionIsBlocked, metav1.ConditionTrue, api.ReasonPoolNotEmpty)
	message := condition.Find(p.Status.Conditions, api.ConditionPoolDeletionIsBlocked).Message
	for _, word := range words {
		if !strings.Contains(message, word) {
			w.t.Errorf("message %q does not say %q", message, word)
		}
	}
}

func erasureWorld(t *testing.T) *world {
	t.Helper()
	p := erasure()
	p.Namespace = "rook-ceph"
	w := newWorld(t, p)
	w.data = storagetest.New("replicated", "data")
	w.settle()
	return w
}

func TestDelete_never_destroys_the_data_of_images_of_another_pool(t *testing.T) {
	t.Parallel()
	w := erasureWorld(t)
	w.image("", "csi-vol-1")
	w.image("team", "csi-vol-2")
	w.image("", "csi-vol-3")
	if err := w.open("replicated", "").TrashImage(t.Context(), "csi-vol-3"); err != nil {
		t.Fatal(err)
	}
	p := w.remove()
	w.blocked(p, "data of image replicated/csi-vol-1", "data of image replicated/team/csi-vol-2", "data of image replicated/csi-vol-3")
	if told := w.told(); len(told) != 1 {
		t.Errorf("events %q", told)
	}
	for _, image := range []struct{ namespace, id string }{{"", "000000000001"}, {"team", "000000000002"}, {"", "000000000003"}} {
		at := w.open("replicated", image.namespace)
		name, err := at.ImageName(t.Context(), image.id)
		if err != nil {
			t.Fatal(err)
		}
		if name != "csi-vol-3" {
			if err := at.TrashImage(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if err := at.PurgeTrashed(t.Context(), image.id); err != nil {
			t.Fatal(err)
		}
	}
	if w.settle() != nil {
		t.Error("the pool stayed when nothing was in it any more")
	}
}

func TestDelete_looks_at_objects_in_every_namespace(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		namespace, object string
		says              string
	}{
		"data_of_an_image_that_no_list_has":        {"", "rbd_data.10226b8b4567.0000000000000000", "data of image id 10226b8b4567"},
		"data_of_an_image_of_a_pool_that_is_gone":  {"", "rbd_data.77.10226b8b4567.0000000000000000", "pool id 77"},
		"data_of_an_image_that_is_being_removed":   {"", "rbd_data.1.10226b8b4567.0000000000000000", "being removed"},
		"an_object_of_somebody_else":               {"", "10000000000.00000000", "object 10000000000.00000000"},
		"an_object_in_a_namespace_that_is_unknown": {"hidden", "precious", "object hidden/precious"},
		"the_record_of_a_volume_elsewhere":         {"", "csi.volume.00f6cf51", "record csi.volume.00f6cf51"},
	}
	for name, tc := range cases {
		t.Run("keeps_the_pool_for_"+name, func(t *testing.T) {
			t.Parallel()
			w := erasureWorld(t)
			if err := w.open("data", tc.namespace).SetOmap(t.Context(), tc.object, map[string]string{"k": "v"}); err != nil {
				t.Fatal(err)
			}
			w.blocked(w.remove(), tc.says)
		})
	}
	t.Run("takes_bookkeeping_for_nothing", func(t *testing.T) {
		t.Parallel()
		w := erasureWorld(t)
		for _, object := range []string{"rbd_info", "rbd_directory", "rbd_children", "rbd_trash", "rbd_namespace", "rbd_mirroring", "rbd_task", "csi.volumes.default"} {
			if err := w.open("data", "").SetOmap(t.Context(), object, map[string]string{"k": "v"}); err != nil {
				t.Fatal(err)
			}
		}
		if w.remove() != nil {
			t.Error("an empty pool was kept")
		}
	})
	t.Run("knows_no_bookkeeping_of_other_applications", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, named(func(p *api.CephBlockPool) { p.Spec.Application = "mine" }))
		w.settle()
		if err := w.open("data", "").SetOmap(t.Context(), "rbd_info", map[string]string{"k": "v"}); err != nil {
			t.Fatal(err)
		}
		w.blocked(w.remove(), "object rbd_info")
	})
	t.Run("keeps_the_pool_when_objects_cannot_be_listed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, named())
		w.settle()
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		w.data.FailAt(4, storagetest.Before) // Pool, Namespaces, ListImages, ListTrash, ListObjects
		if _, err := w.pass(); err == nil || !strings.Contains(err.Error(), "ListObjects") || w.ceph.Sent("osd pool delete") > 0 {
			t.Errorf("error %v", err)
		}
	})
}

// unreach makes the cluster one whose monitors were never published.
func (w *world) unreach() {
	w.t.Helper()
	var cluster api.CephCluster
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph"}, &cluster); err != nil {
		w.t.Fatal(err)
	}
	cluster.Status.Connection, cluster.Status.Conditions = nil, nil
	if err := w.client.Status().Update(w.t.Context(), &cluster); err != nil {
		w.t.Fatal(err)
	}
	w.silent = true
}

func TestDelete_of_a_pool_of_a_cluster_that_was_never_born(t *testing.T) {
	t.Parallel()
	t.Run("lets_it_go", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, named())
		w.unreach()
		w.settle()
		if left := w.remove(); left != nil {
			t.Errorf("it is held: %+v", left.Status)
		}
	})
	for name, edit := range map[string]func(*api.CephBlockPool){
		"keeps_one_that_was_made": func(p *api.CephBlockPool) { p.Status = &api.CephBlockPoolStatus{PoolID: ptr.To(int64(7))} },
		"keeps_one_of_Rook":       func(p *api.CephBlockPool) { p.Finalizers = []string{"cephblockpool.ceph.rook.io"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, named(edit))
			w.unreach()
			w.settle()
			if w.remove() == nil {
				t.Error("it was let go")
			}
		})
	}
}

// tag makes applications the only ones of pool data.
func (w *world) tag(applications ...string) {
	w.t.Helper()
	made, _ := w.ceph.Pool("data")
	for application := range maps.Clone(made.ApplicationMetadata) {
		if err := w.ceph.Client().PoolApplicationDisable(w.t.Context(), "data", application, ceph.Really); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, application := range applications {
		if err := w.ceph.Client().PoolApplicationEnable(w.t.Context(), "data", application, ceph.Really); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestDelete_is_refused_for_a_pool_that_another_application_came_to_use(t *testing.T) {
	t.Parallel()
	for name, applications := range map[string][]string{
		"instead": {"cephfs"}, "besides": {"rbd", "cephfs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, named())
			w.settle()
			w.tag(applications...)
			w.settle()
			p := w.remove()
			w.blocked(p, "application 'cephfs'", "not 'rbd'", "finalizer 'ceph.rook.io/provisioner'")
			if c := condition.Find(p.Status.Conditions, api.ConditionPoolDeletionIsBlocked); strings.Contains(c.Message, "disable") {
				t.Errorf("message %q makes people take a pool from its users", c.Message)
			}
		})
	}
}

// strange makes pool data as somebody else would, before its object is seen.
func strange(t *testing.T, application string) *world {
	t.Helper()
	w := newWorld(t, named())
	if err := w.ceph.Client().PoolCreate(t.Context(), ceph.PoolSpec{Name: "data", Size: 2}, ceph.Unconfirmed); err != nil {
		t.Fatal(err)
	}
	w.tag(application)
	w.ceph.ForgetCommands()
	return w
}

func TestAPoolOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for _, application := range []string{"cephfs", "rgw"} {
		t.Run("is_left_alone_by_an_object_of_its_name/"+application, func(t *testing.T) {
			t.Parallel()
			w := strange(t, application)
			w.settle()
			p := w.settle()
			w.expect(p, api.ConditionStalled, metav1.ConditionTrue, api.ReasonNameTaken)
			w.expect(p, api.ConditionReady, metav1.ConditionFalse, api.ReasonNameTaken)
			want := "Pool 'data' belongs to application '" + application + "'; choose another name"
			if c := condition.Find(p.Status.Conditions, api.ConditionStalled); c.Message != want {
				t.Errorf("message: want %q, got %q", want, c.Message)
			}
			if p.Status.Phase != api.PhaseFailure || p.Status.PoolID != nil || w.ceph.Writes() != 0 {
				t.Errorf("status %+v after %d changes", p.Status, w.ceph.Writes())
			}
			if told := w.told(); len(told) != 1 || !strings.Contains(told[0], api.ReasonNameTaken) {
				t.Errorf("events %q", told)
			}
		})
		t.Run("outlives_an_object_of_its_name/"+application, func(t *testing.T) {
			t.Parallel()
			w := strange(t, application)
			w.settle()
			w.told()
			if left := w.remove(); left != nil || w.ceph.Writes() != 0 {
				t.Errorf("object %+v after %d changes", left, w.ceph.Writes())
			}
			if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "Normal PoolKept") || !strings.Contains(told[0], "application '"+application+"'") {
				t.Errorf("events %q", told)
			}
		})
	}
	t.Run("is_one_that_took_the_name_of_a_pool_that_is_gone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, named())
		w.settle()
		if err := w.ceph.Client().PoolDelete(t.Context(), "data", ceph.Really); err != nil {
			t.Fatal(err)
		}
		if err := w.ceph.Client().PoolCreate(t.Context(), ceph.PoolSpec{Name: "data"}, ceph.Unconfirmed); err != nil {
			t.Fatal(err)
		}
		w.tag("cephfs")
		w.expect(w.settle(), api.ConditionStalled, metav1.ConditionTrue, api.ReasonNameTaken)
		if _, left := w.ceph.Pool("data"); w.remove() != nil || !left {
			t.Error("the object is held, or the pool is gone")
		}
	})
	t.Run("may_become_free", func(t *testing.T) {
		t.Parallel()
		w := strange(t, "cephfs")
		w.settle()
		if err := w.ceph.Client().PoolDelete(t.Context(), "data", ceph.Really); err != nil {
			t.Fatal(err)
		}
		w.expect(w.settle(), api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	})
}
