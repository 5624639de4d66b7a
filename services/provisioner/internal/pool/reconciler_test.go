package pool_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/pool"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func replicated(edit ...func(*api.CephBlockPool)) *api.CephBlockPool {
	p := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: "data"}}
	p.Spec.Replicated.Size = 3
	for _, e := range edit {
		e(p)
	}
	return p
}

func erasure(edit ...func(*api.CephBlockPool)) *api.CephBlockPool {
	p := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: "data"}}
	p.Spec.ErasureCoded = api.ErasureCodedSpec{DataChunks: 4, CodingChunks: 2}
	for _, e := range edit {
		e(p)
	}
	return p
}

func param(key, value string) func(*api.CephBlockPool) {
	return func(p *api.CephBlockPool) {
		if p.Spec.Parameters == nil {
			p.Spec.Parameters = map[string]string{}
		}
		p.Spec.Parameters[key] = value
	}
}

// world is a cluster whose commands go to one fake and whose images are in another.
type world struct {
	t      *testing.T
	ceph   *cephtest.Cluster
	data   *storagetest.Cluster
	client client.Client
	events *events.FakeRecorder
	r      *pool.Reconciler
	writes atomic.Int64
	// silent makes the cluster one that cannot be reached.
	silent bool
}

// session is what the reconciler gets.
type session struct {
	ceph.Conn
	*storagetest.Cluster
}

func (s session) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return s.Conn.Mon(ctx, cmd)
}

func (s session) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return s.Conn.Mgr(ctx, cmd)
}

func (s session) Close() {}

// Pool opens a pool whose initialisation names the application, as librbd does.
func (s session) Pool(ctx context.Context, name, namespace string) (storage.Pool, error) {
	opened, err := s.Cluster.Pool(ctx, name, namespace)
	return tagging{opened, ceph.Client{Conn: s.Conn}}, err
}

type tagging struct {
	storage.Pool
	ceph ceph.Client
}

func (p tagging) Init(ctx context.Context) error {
	if err := p.ceph.PoolApplicationEnable(ctx, p.Name(), "rbd", ceph.Unconfirmed); err != nil {
		return err
	}
	return p.Pool.Init(ctx)
}

func (w *world) Session(context.Context, *api.CephCluster) (storage.Cluster, error) {
	if w.silent {
		return nil, ceph.ErrUnreachable
	}
	return session{w.ceph.Client().Conn, w.data}, nil
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph", Namespace: "rook-ceph"}}
	cluster.Status.Connection = &api.Connection{FSID: cephtest.DefaultFSID, MonHost: "10.0.0.1"}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, condition.New(typ, metav1.ConditionTrue, api.ReasonAsExpected, "", 1))
	}
	const recorded = 100
	w := &world{
		t: t, ceph: cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(6)), data: storagetest.New("data"),
		events: events.NewFakeRecorder(recorded),
	}
	if err := w.ceph.Client().ConfigSet(t.Context(), "global", "mon_allow_pool_delete", "true"); err != nil {
		t.Fatal(err)
	}
	w.ceph.ForgetCommands()
	w.client = interceptor.NewClient(testenv.Fake(t, append(objects, cluster)...).Build(), interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			w.writes.Add(1)
			return c.Apply(ctx, obj, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			w.writes.Add(1)
			return c.SubResource(sub).Apply(ctx, obj, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			w.writes.Add(1)
			return c.Patch(ctx, obj, patch, opts...)
		},
	})
	w.restart()
	return w
}

// restart makes a reconciler that remembers nothing.
func (w *world) restart() {
	w.r = &pool.Reconciler{
		Client: w.client, Live: w.client, Sessions: w, Maps: &osdmap.Maps{}, Events: w.events,
		Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	}
}

func named(edit ...func(*api.CephBlockPool)) *api.CephBlockPool {
	p := replicated(edit...)
	p.Namespace = "rook-ceph"
	return p
}

// pass runs one reconcile of pool data.
func (w *world) pass() (ctrl.Result, error) {
	return w.r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "rook-ceph", Name: "data"}})
}

// settle reconciles until nothing is asked for within a second.
func (w *world) settle() *api.CephBlockPool {
	w.t.Helper()
	const limit = 10
	for range limit {
		result, err := w.pass()
		if err != nil {
			w.t.Fatal(err)
		}
		if result.RequeueAfter == 0 || result.RequeueAfter > time.Second {
			return w.get()
		}
	}
	w.t.Fatalf("not settled after %d passes", limit)
	return nil
}

func (w *world) get() *api.CephBlockPool {
	w.t.Helper()
	var p api.CephBlockPool
	err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "data"}, &p)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return &p
}

func (w *world) expect(p *api.CephBlockPool, typ string, want metav1.ConditionStatus, reason string) {
	w.t.Helper()
	c := condition.Find(p.Status.Conditions, typ)
	if c == nil || c.Status != want || c.Reason != reason {
		w.t.Errorf("%s: want %s %s, got %+v", typ, want, reason, c)
	}
}

// addHost adds a host with one OSD.
func (w *world) addHost(name string) {
	w.t.Helper()
	id, err := w.ceph.Client().OSDNew(w.t.Context(), ceph.OSDNewRequest{UUID: name, CephxSecret: cephtest.DefaultSecret})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ceph.StartOSD(id, cephtest.OSDStart{Host: name, Class: "hdd", Weight: 1})
}

func (w *world) told() []string {
	var list []string
	for {
		select {
		case e := <-w.events.Events:
			list = append(list, e)
		default:
			return list
		}
	}
}

func TestReconcile_makes_a_pool_and_then_is_silent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named())
	p := w.settle()
	w.expect(p, api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	w.expect(p, api.ConditionReconciling, metav1.ConditionFalse, api.ReasonAsExpected)
	made, ok := w.ceph.Pool("data")
	if !ok || made.Size != 3 || p.Status.PoolID == nil || int(*p.Status.PoolID) != made.ID {
		t.Errorf("pool %+v, status %+v", made, p.Status)
	}
	if p.Status.Phase != api.PhaseReady || p.Status.Info["type"] != "Replicated" || p.Status.Info["failureDomain"] != "host" {
		t.Errorf("status %+v", p.Status)
	}
	w.writes.Store(0)
	w.ceph.ForgetCommands()
	w.settle()
	if got := w.ceph.Commands(); len(got) != 1 || got[0].Write || w.writes.Load() != 0 {
		t.Errorf("a settled pass sent %d commands and made %d API writes", len(got), w.writes.Load())
	}
	w.restart()
	w.ceph.ForgetCommands()
	w.settle()
	if w.ceph.Writes() != 0 || w.writes.Load() != 0 {
		t.Errorf("the first pass after a restart made %d changes and %d API writes", w.ceph.Writes(), w.writes.Load())
	}
	if told := w.told(); len(told) > 0 {
		t.Errorf("events %q", told)
	}
}

func TestReconcile_makes_no_pool_that_could_not_serve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named(func(p *api.CephBlockPool) {
		p.Spec.Replicated.Size, p.Spec.ErasureCoded = 0, api.ErasureCodedSpec{DataChunks: 6, CodingChunks: 2}
	}))
	result, err := w.pass()
	if err != nil || result.RequeueAfter != 10*time.Second || w.ceph.Writes() != 0 {
		t.Errorf("asks for another pass after %s (%v), having made %d changes", result.RequeueAfter, err, w.ceph.Writes())
	}
	p := w.settle()
	w.expect(p, api.ConditionReady, metav1.ConditionFalse, api.ReasonTooFewFailureDomains)
	w.expect(p, api.ConditionStalled, metav1.ConditionFalse, api.ReasonAsExpected)
	if c := condition.Find(p.Status.Conditions, api.ConditionReady); !strings.Contains(c.Message, "needs at least 7 failure domains of type host to serve, and there are 6") {
		t.Errorf("message %q", c.Message)
	}
	if p.Status.Phase != api.PhaseProgressing {
		t.Errorf("phase %s", p.Status.Phase)
	}
	if err := w.ceph.Client().CrushAddBucket(t.Context(), "host6", "host", ceph.Location{"root=default"}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.settle(), api.ConditionReady, metav1.ConditionFalse, api.ReasonTooFewFailureDomains)
	w.addHost("host7")
	w.expect(w.settle(), api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
}

func TestReconcile_lets_go_of_a_pool_that_could_not_serve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named(func(p *api.CephBlockPool) { p.Spec.DeviceClass = "nvme" }))
	p := w.settle()
	w.expect(p, api.ConditionReady, metav1.ConditionFalse, api.ReasonTooFewFailureDomains)
	if c := condition.Find(p.Status.Conditions, api.ConditionReady); !strings.Contains(c.Message, "`deviceClass` (known: hdd)") {
		t.Errorf("message %q", c.Message)
	}
	if w.remove() != nil {
		t.Error("the object is held")
	}
}

func TestReconcile_mends_what_others_changed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named())
	w.settle()
	if err := w.ceph.Client().PoolSet(t.Context(), "data", "size", "2", ceph.Really); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if made, _ := w.ceph.Pool("data"); made.Size != 3 {
		t.Errorf("size: want 3, got %d", made.Size)
	}
}

func TestReconcile_reports_drift_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named())
	p := w.settle()
	p.Spec.FailureDomain = "zone"
	p.Generation++
	if err := w.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	w.settle()
	p = w.settle()
	w.expect(p, api.ConditionReady, metav1.ConditionTrue, api.ReasonDrift)
	w.expect(p, api.ConditionStalled, metav1.ConditionTrue, api.ReasonDrift)
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "enableCrushUpdates") {
		t.Errorf("events %q", told)
	}
	if w.ceph.Sent("osd crush rule create-replicated") != 1 {
		t.Error("another rule was made")
	}
}

func TestReconcile_waits_for_the_cluster_by_name(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named())
	var cluster api.CephCluster
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph"}, &cluster); err != nil {
		t.Fatal(err)
	}
	cluster.Status.Conditions[0].Status, cluster.Status.Conditions[0].Reason = metav1.ConditionFalse, api.ReasonQuorumLost
	if err := w.client.Status().Update(t.Context(), &cluster); err != nil {
		t.Fatal(err)
	}
	p := w.settle()
	c := condition.Find(p.Status.Conditions, api.ConditionReady)
	if want := "Waiting for mon-manager: MonitorsInQuorum is False (QuorumLost)"; c == nil || c.Message != want {
		t.Errorf("want %q, got %+v", want, c)
	}
	if got := len(w.ceph.Commands()); got != 0 {
		t.Errorf("sent %d commands meanwhile", got)
	}
}

func TestReconcile_survives_a_lost_reply_to_every_change(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"osd crush rule create-replicated", "osd pool create", "osd pool set"} {
		w := newWorld(t, named(param("min_size", "1")))
		w.ceph.LoseReply(prefix)
		if _, err := w.pass(); err == nil {
			t.Errorf("%s: the lost reply went unnoticed", prefix)
		}
		p := w.settle()
		w.expect(p, api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
		if got := w.ceph.Sent("osd pool create"); prefix != "osd pool create" && got != 1 {
			t.Errorf("%s: pool created %d times", prefix, got)
		}
	}
}

func TestReconcile_names_fields_that_nobody_acts_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named(func(p *api.CephBlockPool) { p.Spec.Mirroring.Enabled = true }))
	p := w.settle()
	w.expect(p, api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected)
	w.expect(p, api.ConditionUnsupportedFields, metav1.ConditionTrue, api.ReasonUnsupportedFields)
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "spec.mirroring") {
		t.Errorf("events %q", told)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	deleted := func(t *testing.T, edit ...func(*world)) *world {
		t.Helper()
		w := newWorld(t, named())
		w.settle()
		for _, e := range edit {
			e(w)
		}
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		return w
	}
	put := func(name string) func(*world) {
		return func(w *world) {
			opened, err := w.data.Pool(w.t.Context(), "data", "")
			if err == nil {
				err = opened.CreateImage(w.t.Context(), name, storage.Layout{Size: 1})
			}
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
	trash := func(name string) func(*world) {
		return func(w *world) {
			opened, err := w.data.Pool(w.t.Context(), "data", "")
			if err == nil {
				err = opened.TrashImage(w.t.Context(), name)
			}
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
	exists := func(w *world) bool {
		_, ok := w.ceph.Pool("data")
		return ok
	}
	t.Run("removes_an_empty_pool_and_its_rule", func(t *testing.T) {
		t.Parallel()
		w := deleted(t)
		if w.settle() != nil || exists(w) || w.ceph.Sent("osd crush rule rm") != 1 {
			t.Errorf("pool left: %t, rule removed %d times", exists(w), w.ceph.Sent("osd crush rule rm"))
		}
	})
	t.Run("is_refused_while_images_exist_and_names_them_once", func(t *testing.T) {
		t.Parallel()
		w := deleted(t, put("csi-vol-1"), put("csi-vol-2"))
		w.settle()
		p := w.settle()
		if p == nil || !exists(w) {
			t.Fatal("a pool with images was deleted")
		}
		w.expect(p, api.ConditionPoolDeletionIsBlocked, metav1.ConditionTrue, api.ReasonPoolNotEmpty)
		w.expect(p, api.ConditionDeletionIsBlocked, metav1.ConditionTrue, api.ReasonPoolNotEmpty)
		if p.Status.Phase != api.PhaseDeleting {
			t.Errorf("phase %s", p.Status.Phase)
		}
		told := w.told()
		if len(told) != 1 || !strings.Contains(told[0], "image csi-vol-1, image csi-vol-2") || !strings.HasPrefix(told[0], corev1.EventTypeWarning) {
			t.Errorf("events %q", told)
		}
	})
	t.Run("is_refused_while_trash_exists", func(t *testing.T) {
		t.Parallel()
		w := deleted(t, put("csi-vol-1"), trash("csi-vol-1"))
		if p := w.settle(); p == nil || !exists(w) {
			t.Fatal("a pool with trash was deleted")
		}
	})
	t.Run("is_refused_when_images_cannot_be_listed", func(t *testing.T) {
		t.Parallel()
		w := deleted(t)
		w.data.FailAt(2, storagetest.Before) // Pool, Namespaces, then the list
		if _, err := w.pass(); err == nil || !exists(w) {
			t.Errorf("error %v, pool there: %t", err, exists(w))
		}
	})
	t.Run("leaves_Ceph_alone_for_a_built-in_pool", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, named(func(p *api.CephBlockPool) { p.Spec.Name = ".nfs" }))
		w.settle()
		if err := w.client.Delete(t.Context(), w.get()); err != nil {
			t.Fatal(err)
		}
		if w.settle() != nil || w.ceph.Sent("osd pool delete") != 0 {
			t.Error("a pool of Ceph's own was deleted")
		}
	})
	t.Run("lets_go_when_the_cluster_is_gone", func(t *testing.T) {
		t.Parallel()
		w := deleted(t, put("csi-vol-1"), func(w *world) {
			if err := w.client.DeleteAllOf(w.t.Context(), &api.CephCluster{}, client.InNamespace("rook-ceph")); err != nil {
				w.t.Fatal(err)
			}
		})
		if w.settle() != nil || !exists(w) {
			t.Error("the object is stuck, or data was touched")
		}
	})
}

func TestReconcile_makes_many_pools_with_few_reads(t *testing.T) {
	t.Parallel()
	const many = 100
	w := newWorld(t)
	for i := range many {
		p := named(func(p *api.CephBlockPool) { p.Spec.Application = "bench" })
		p.Name = fmt.Sprintf("pool-%03d", i)
		if err := w.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, many)
	for i := range many {
		go func() {
			key := client.ObjectKey{Namespace: "rook-ceph", Name: fmt.Sprintf("pool-%03d", i)}
			for {
				result, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key})
				if err != nil || result.RequeueAfter > time.Second {
					done <- err
					return
				}
			}
		}()
	}
	for range many {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if reads := w.ceph.Sent("osd pool ls"); reads > many {
		t.Errorf("%d pools took %d readings of all pools", many, reads)
	}
}
