package report_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/report"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const namespace = "rook-ceph"

// world is a CephCluster whose monitors and manager serve, and its Secrets.
type world struct {
	t       *testing.T
	client  client.Client
	r       *report.Reconciler
	secrets map[string]bool
	// kept and forgot are what Keep and Forget were called with at last.
	kept, forgot []string
	writes       atomic.Int64
}

func (w *world) Secret(_ context.Context, namespace, name string) (map[string]string, error) {
	if !w.secrets[name] {
		return nil, fmt.Errorf("Secret %s/%s: %w", namespace, name, clusters.ErrNoSecret)
	}
	return map[string]string{}, nil
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, secrets: map[string]bool{
		csi.RBDProvisionerSecret: true, csi.RBDNodeSecret: true, csi.CephFSProvisionerSecret: true, csi.CephFSNodeSecret: true,
	}}
	count := interceptor.Funcs{
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
	}
	w.client = testenv.Fake(t, objects...).WithInterceptorFuncs(testenv.Apart(count)).Build()
	w.r = &report.Reconciler{
		Client: w.client, Namespace: namespace, Identities: []csi.Identities{csi.RBDIdentities(), csi.CephFSIdentities()},
		Secrets: w, Clock: clocktesting.NewFakePassiveClock(time.Unix(1000, 0)),
		Keep: func(fsids []string) { w.kept = fsids }, Forget: func(id string) { w.forgot = append(w.forgot, id) },
	}
	return w
}

func served() *api.CephCluster {
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: namespace}}
	cluster.Status.Connection = &api.Connection{FSID: "f", MonHost: "10.0.0.1", Endpoints: []api.MonitorEndpoint{
		{Name: "b", Address: "fd00::2", V2Port: 3300}, {Name: "a", Address: "10.0.0.1", V1Port: 6789, V2Port: 3300},
	}}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, condition.New(typ, metav1.ConditionTrue, api.ReasonAsExpected, "", 1))
	}
	return cluster
}

func blockPool(name string, ready bool) *api.CephBlockPool {
	pool := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	if ready {
		pool.Status = &api.CephBlockPoolStatus{Conditions: []api.Condition{
			condition.New(api.ConditionReady, metav1.ConditionTrue, api.ReasonAsExpected, "", 1)}}
	}
	return pool
}

func (w *world) reconcile() ctrl.Result {
	w.t.Helper()
	result, err := w.r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: "c"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) condition() api.Condition {
	w.t.Helper()
	var cluster api.CephCluster
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "c"}, &cluster); err != nil {
		w.t.Fatal(err)
	}
	found := condition.Find(cluster.Status.Conditions, api.ConditionProvisioningReady)
	if found == nil {
		w.t.Fatal("no condition ProvisioningReady")
	}
	return *found
}

func (w *world) config() string {
	w.t.Helper()
	var stored corev1.ConfigMap
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: names.CSIConfig}, &stored); err != nil {
		w.t.Fatal(err)
	}
	return stored.Data[csi.ConfigKey]
}

func TestAServedClusterIsPublishedOnceAndIsReady(t *testing.T) {
	w := newWorld(t, served(), blockPool("one", true))
	w.reconcile()
	if got := w.condition(); got.Status != metav1.ConditionTrue {
		t.Errorf("got %s: %s", got.Status, got.Message)
	}
	const want = `[{"clusterID":"rook-ceph","monitors":["10.0.0.1:6789","[fd00::2]:3300"],"namespace":"rook-ceph"}]`
	if got := w.config(); got != want {
		t.Errorf("configuration: got %s, want %s", got, want)
	}
	before := w.writes.Load()
	w.reconcile()
	if got := w.writes.Load() - before; got != 0 {
		t.Errorf("a settled pass wrote %d times", got)
	}
}

func subvolumeGroup(namespace, name, clusterID string, edit ...func(*api.CephFilesystemSubVolumeGroup)) *api.CephFilesystemSubVolumeGroup {
	group := &api.CephFilesystemSubVolumeGroup{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	if clusterID != "" {
		group.Status = &api.CephFilesystemSubVolumeGroupStatus{Info: map[string]string{"clusterID": clusterID}}
	}
	for _, e := range edit {
		e(group)
	}
	return group
}

func TestSubvolumeGroupsArePublishedWithTheirClusterID(t *testing.T) {
	renamed := func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.Name = "blue-team" }
	w := newWorld(t, served(), subvolumeGroup(namespace, "red", "5f3b"), subvolumeGroup(namespace, "blue", "a1b2", renamed),
		subvolumeGroup(namespace, "early", ""), subvolumeGroup("elsewhere", "far", "ffff"))
	w.reconcile()
	const mons = `"monitors":["10.0.0.1:6789","[fd00::2]:3300"]`
	const want = `[{"clusterID":"5f3b",` + mons + `,"cephFS":{"subvolumeGroup":"red"},"namespace":"rook-ceph"},` +
		`{"clusterID":"a1b2",` + mons + `,"cephFS":{"subvolumeGroup":"blue-team"},"namespace":"rook-ceph"},` +
		`{"clusterID":"rook-ceph",` + mons + `,"namespace":"rook-ceph"}]`
	if got := w.config(); got != want {
		t.Errorf("configuration: got %s, want %s", got, want)
	}
}

func TestMountOptionsArePublished(t *testing.T) {
	cluster := served()
	cluster.Spec.CSI.CephFS = api.CSICephFSSpec{KernelMountOptions: "ms_mode=secure", FuseMountOptions: "noatime"}
	w := newWorld(t, cluster, subvolumeGroup(namespace, "red", "5f3b"))
	w.reconcile()
	const mons, options = `"monitors":["10.0.0.1:6789","[fd00::2]:3300"]`, `"kernelMountOptions":"ms_mode=secure","fuseMountOptions":"noatime"`
	const want = `[{"clusterID":"5f3b",` + mons + `,"cephFS":{"subvolumeGroup":"red",` + options + `},"namespace":"rook-ceph"},` +
		`{"clusterID":"rook-ceph",` + mons + `,"cephFS":{` + options + `},"namespace":"rook-ceph"}]`
	if got := w.config(); got != want {
		t.Errorf("configuration: got %s, want %s", got, want)
	}
	if got := w.condition(); got.Status != metav1.ConditionTrue {
		t.Errorf("got %s: %s", got.Status, got.Message)
	}
}

func TestMountOptionsThatAreNotTheUsersAreRefused(t *testing.T) {
	for field, spec := range map[string]api.CSICephFSSpec{
		"kernelMountOptions": {KernelMountOptions: "rasize=1,secret=hidden", FuseMountOptions: "noatime"},
		"fuseMountOptions":   {KernelMountOptions: "rasize=1", FuseMountOptions: "noatime\nkey=hidden"},
	} {
		t.Run(field, func(t *testing.T) {
			cluster := served()
			cluster.Spec.CSI.CephFS = spec
			w := newWorld(t, cluster)
			w.reconcile()
			got := w.condition()
			if got.Status != metav1.ConditionFalse || got.Reason != api.ReasonInvalidSpec || !strings.Contains(got.Message, "`spec.csi.cephfs."+field+"`") ||
				strings.Contains(got.Message, "hidden") {
				t.Errorf("got %s %s %q", got.Status, got.Reason, got.Message)
			}
			if config := w.config(); strings.Contains(config, "ountOptions") {
				t.Errorf("published: %s", config)
			}
		})
	}
}

func TestWhatIsWaitedForIsNamed(t *testing.T) {
	unserved := served()
	unserved.Status.Conditions = nil
	for name, c := range map[string]struct {
		cluster *api.CephCluster
		secrets map[string]bool
		pools   []client.Object
		want    string
		again   bool
	}{
		"monitors": {cluster: unserved, want: api.ConditionMonitorsInQuorum},
		"users":    {cluster: served(), secrets: map[string]bool{csi.RBDNodeSecret: true}, want: csi.RBDProvisionerSecret, again: true},
		"users of the second driver": {cluster: served(), secrets: map[string]bool{csi.RBDProvisionerSecret: true, csi.RBDNodeSecret: true},
			want: csi.CephFSProvisionerSecret, again: true},
		"pools": {cluster: served(), pools: []client.Object{blockPool("slow", false), blockPool("fine", true)}, want: "CephBlockPools slow"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(c.pools, c.cluster)...)
			if c.secrets != nil {
				w.secrets = c.secrets
			}
			result := w.reconcile()
			got := w.condition()
			if got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, c.want) {
				t.Errorf("got %s %q, want it to name %s", got.Status, got.Message, c.want)
			}
			if (result.RequeueAfter > 0) != c.again {
				t.Errorf("comes again after %v", result.RequeueAfter)
			}
		})
	}
}

func TestAClusterIsHeldWhileItsPoolsExist(t *testing.T) {
	w := newWorld(t, served(), blockPool("data", true))
	w.reconcile()
	if err := w.client.Delete(t.Context(), served()); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if got := w.condition(); got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, "CephBlockPools data") {
		t.Errorf("got %s %q, want it to name the pool", got.Status, got.Message)
	}
	if !slices.Equal(w.kept, []string{"f"}) {
		t.Errorf("connections of %v are kept", w.kept)
	}
	if err := w.client.Delete(t.Context(), blockPool("data", true)); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(served()), &api.CephCluster{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the cluster is still held: %v", err)
	}
	w.reconcile()
	if got := w.config(); got != "[]" {
		t.Errorf("a cluster that is gone is still published: %s", got)
	}
	if len(w.kept) > 0 || len(w.forgot) == 0 || w.forgot[0] != namespace {
		t.Errorf("connections of %v are kept, what is known of %v was forgotten", w.kept, w.forgot)
	}
}

func TestASecondClusterOfANamespaceIsNotHeldByThePoolsOfTheFirst(t *testing.T) {
	second := served()
	second.Name, second.Finalizers = "d", []string{names.Finalizer("provisioner"), "test/keep"}
	w := newWorld(t, served(), second, blockPool("data", true))
	if err := w.client.Delete(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(second)}); err != nil {
		t.Fatal(err)
	}
	now := &api.CephCluster{}
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(second), now); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(now.Finalizers, []string{"test/keep"}) {
		t.Errorf("it is held by %v", now.Finalizers)
	}
}
