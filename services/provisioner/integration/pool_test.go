//go:build integration && librados

package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ceph/go-ceph/rados"
	"github.com/ceph/go-ceph/rbd"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/pool"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// world is a real Ceph cluster and the pool controller, with the rights that the
// service has.
type world struct {
	t    *testing.T
	ceph *real.Cluster
	kube client.Client
	data storage.Cluster
	r    *pool.Reconciler
}

func (w *world) Session(context.Context, *api.CephCluster) (storage.Cluster, error) {
	return w.data, nil
}

func newWorld(t *testing.T, release string) *world {
	t.Helper()
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph", Namespace: "rook-ceph"}}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, condition.New(typ, metav1.ConditionTrue, api.ReasonAsExpected, "", 1))
	}
	w := &world{t: t, kube: testenv.Fake(t, cluster).Build()}
	w.ceph = real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(3), real.BlueStore())
	if err := w.ceph.Client().ConfigSet(t.Context(), "mon", "mon_allow_pool_delete", "true"); err != nil {
		t.Fatal(err)
	}
	identity := keyring.Provisioner()
	user, err := w.ceph.Client().AuthGetOrCreate(t.Context(), identity.Entity, identity.Caps)
	if err != nil {
		t.Fatal(err)
	}
	w.data, err = librados.Dialer{}.DialStorage(t.Context(), w.ceph.Connection(), user.Key())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.data.Close)
	w.r = &pool.Reconciler{Client: w.kube, Live: w.kube, Sessions: w, Maps: &osdmap.Maps{}, Clock: clock.RealClock{}}
	return w
}

// apply makes the object and reconciles until the pool is ready.
func (w *world) apply(name string, edit func(*api.CephBlockPool)) {
	w.t.Helper()
	p := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "rook-ceph"}}
	edit(p)
	if err := w.kube.Create(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
	w.await(name, "is ready", func(p *api.CephBlockPool) bool {
		return p != nil && condition.IsTrue(p.Status.Conditions, api.ConditionReady)
	})
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := w.kube.Delete(w.t.Context(), w.get(name)); err != nil {
		w.t.Fatal(err)
	}
}

// await reconciles until the object is as wanted, and returns it.
func (w *world) await(name, what string, is func(*api.CephBlockPool) bool) *api.CephBlockPool {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		_, err := w.r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "rook-ceph", Name: name}})
		p := w.get(name)
		if err == nil && is(p) {
			return p
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("pool %s never %s: %v\n%+v", name, what, err, p)
		case <-ticker.C:
		}
	}
}

// blocked reconciles once and returns why the pool is kept.
func (w *world) blocked(name string) string {
	w.t.Helper()
	p := w.await(name, "says why it is kept", func(p *api.CephBlockPool) bool {
		return p == nil || condition.IsTrue(p.Status.Conditions, api.ConditionPoolDeletionIsBlocked)
	})
	names, err := w.ceph.Client().PoolNames(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if p == nil || !strings.Contains(strings.Join(names, " "), name) {
		w.t.Fatalf("pool %s was deleted; there are %q", name, names)
	}
	return condition.Find(p.Status.Conditions, api.ConditionPoolDeletionIsBlocked).Message
}

// gone reconciles until object and pool are gone.
func (w *world) gone(name string) {
	w.t.Helper()
	w.await(name, "goes", func(p *api.CephBlockPool) bool { return p == nil })
	pools, err := w.ceph.Client().PoolNames(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, left := range pools {
		if left == name {
			w.t.Errorf("pool %s is left", name)
		}
	}
}

func (w *world) get(name string) *api.CephBlockPool {
	w.t.Helper()
	var p api.CephBlockPool
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: name}, &p)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return &p
}

// within opens a namespace of a pool.
func (w *world) within(name, namespace string, do func(context.Context, storage.Pool) error) {
	w.t.Helper()
	opened, err := w.data.Pool(w.t.Context(), name, namespace)
	if err == nil {
		err = do(w.t.Context(), opened)
		opened.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// raw runs work with an ioctx of the pool.
func (w *world) raw(name string, do func(*rados.IOContext) error) {
	w.t.Helper()
	conn, err := librados.Dialer{}.Connect(w.t.Context(), w.ceph.Connection(), w.ceph.Admin())
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Do(w.t.Context(), "work on pool "+name, func(handle *rados.Conn) error {
		ioctx, err := handle.OpenIOContext(name)
		if err != nil {
			return err
		}
		defer ioctx.Destroy()
		return do(ioctx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// write writes to the start of an image.
func write(ioctx *rados.IOContext, image string) error {
	opened, err := rbd.OpenImage(ioctx, image, rbd.NoSnapshot)
	if err != nil {
		return err
	}
	defer opened.Close()
	_, err = opened.WriteAt([]byte("precious"), 0)
	return err
}

// id returns the id of an image.
func (w *world) id(name, image string) (id string) {
	w.t.Helper()
	w.within(name, "", func(ctx context.Context, p storage.Pool) error {
		found, err := p.Image(ctx, image)
		id = found.ID
		return err
	})
	return id
}

func replicated(p *api.CephBlockPool) {
	p.Spec.FailureDomain, p.Spec.Replicated.Size = "osd", 2
	p.Spec.Parameters = map[string]string{"pg_num": "4", "pg_autoscale_mode": "off"}
}

func erasure(p *api.CephBlockPool) {
	replicated(p)
	p.Spec.Replicated.Size = 0
	p.Spec.ErasureCoded = api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}
}

func TestPoolsOnRealCeph(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			w := newWorld(t, release)
			w.apply("meta", replicated)
			w.apply("bulk", erasure)
			w.apply(volumePool, replicated)
			w.apply(codedPool, erasure)
			t.Run("expands_volumes_and_never_shrinks_them", func(t *testing.T) { w.on(t).expandsVolumes() })
			t.Run("refuses_an_expansion_and_changes_nothing", func(t *testing.T) { w.on(t).refusesExpansion() })
			t.Run("keeps_a_data_pool_while_images_elsewhere_need_it", func(t *testing.T) { w.on(t).keepsDataPool() })
			t.Run("deletes_a_pool_of_which_only_bookkeeping_is_left", func(t *testing.T) { w.on(t).deletesUsedPool() })
			t.Run("settles_on_what_Ceph_makes_of_the_parameters", func(t *testing.T) { w.on(t).settlesParameters() })
		})
	}
}

// on gives the world to a subtest.
func (w *world) on(t *testing.T) *world {
	own := *w
	own.t = t
	return &own
}

func (w *world) keepsDataPool() {
	w.within("meta", "", func(ctx context.Context, p storage.Pool) error {
		return p.CreateImage(ctx, "vol-1", storage.Layout{Size: 8 << 20, DataPool: "bulk", Features: []string{"layering"}})
	})
	w.raw("meta", func(ioctx *rados.IOContext) error { return write(ioctx, "vol-1") })
	id := w.id("meta", "vol-1")
	w.remove("bulk")
	if message := w.blocked("bulk"); !strings.Contains(message, "data of image meta/vol-1") {
		w.t.Errorf("message %q", message)
	}
	w.within("meta", "", func(ctx context.Context, p storage.Pool) error { return p.TrashImage(ctx, "vol-1") })
	if message := w.blocked("bulk"); !strings.Contains(message, "data of image meta/vol-1") {
		w.t.Errorf("message %q of a trashed image", message)
	}
	w.within("meta", "", func(ctx context.Context, p storage.Pool) error { return p.PurgeTrashed(ctx, id) })
	w.gone("bulk")
}

func (w *world) deletesUsedPool() {
	w.raw("meta", func(ioctx *rados.IOContext) error { return rbd.NamespaceCreate(ioctx, "team") })
	for _, namespace := range []string{"", "team"} {
		w.within("meta", namespace, func(ctx context.Context, p storage.Pool) error {
			return p.CreateImage(ctx, "vol-2", storage.Layout{Size: 8 << 20})
		})
	}
	w.remove("meta")
	if message := w.blocked("meta"); !strings.Contains(message, "image team/vol-2, image vol-2") {
		w.t.Errorf("message %q", message)
	}
	for _, namespace := range []string{"", "team"} {
		w.within("meta", namespace, func(ctx context.Context, p storage.Pool) error {
			found, err := p.Image(ctx, "vol-2")
			if err != nil {
				return err
			}
			if err := p.TrashImage(ctx, "vol-2"); err != nil {
				return err
			}
			return p.PurgeTrashed(ctx, found.ID)
		})
	}
	w.raw("meta", func(ioctx *rados.IOContext) error {
		ioctx.SetNamespace("hidden")
		return ioctx.WriteFull("precious", []byte("data"))
	})
	if message := w.blocked("meta"); !strings.Contains(message, "object hidden/precious") {
		w.t.Errorf("message %q", message)
	}
	w.raw("meta", func(ioctx *rados.IOContext) error {
		ioctx.SetNamespace("hidden")
		return ioctx.Delete("precious")
	})
	w.gone("meta")
}

func (w *world) settlesParameters() {
	w.apply("sized", func(p *api.CephBlockPool) {
		replicated(p)
		p.Spec.Parameters["target_size_bytes"] = "10G"
		p.Spec.Parameters["target_size_ratio"] = "0"
		p.Spec.Parameters["compression_mode"] = "unset"
	})
	settings, err := w.ceph.Client().PoolGet(w.t.Context(), "sized")
	if err != nil {
		w.t.Fatal(err)
	}
	if got := settings.Settings["target_size_bytes"]; got != "10737418240" {
		w.t.Errorf("10G is %s to Ceph", got)
	}
	p := w.get("sized")
	p.Spec.Parameters["pg_num"] = "16"
	p.Generation++
	if err := w.kube.Update(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
	w.await("sized", "is ready", func(p *api.CephBlockPool) bool {
		return p.Status.ObservedGeneration == p.Generation && condition.IsTrue(p.Status.Conditions, api.ConditionReady)
	})
	list, err := w.ceph.Client().PoolList(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range list {
		if one.Name == "sized" && one.PGNumTarget != 16 {
			w.t.Errorf("target is %d placement groups, %d are there", one.PGNumTarget, one.PGNum)
		}
	}
}
