//go:build envtest

package setup

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
)

// patience is how long a test waits before it fails; the box may be busy.
const patience = 90 * time.Second

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// world is a namespace with the service, a fake Ceph and nodes of its own.
type world struct {
	*kubelet
	ctx    context.Context
	client client.Client
	stop   context.CancelFunc
	ended  chan error
	// reads and writes count what the service asks of the API server.
	reads, writes atomic.Int64
}

func newWorld(t *testing.T, nodes ...string) *world {
	t.Helper()
	c := testenv.Client(t)
	w := &world{ctx: t.Context(), client: c, kubelet: &kubelet{
		t: t, client: c, namespace: testenv.Namespace(t, c), ceph: cephtest.New(t),
		broken: map[string]bool{}, down: map[string]bool{}, runs: map[string]bool{},
	}}
	for _, name := range nodes {
		w.addNode(name)
	}
	w.kubelet.start()
	w.serve()
	t.Cleanup(func() { w.halt() })
	return w
}

func (w *world) node(name string) string { return w.namespace + "-" + name }

// addNode makes a node that only the cluster of this world may use.
func (w *world) addNode(name string) {
	w.t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: w.node(name), Labels: map[string]string{
		names.LabelHostname: w.node(name), "world": w.namespace,
	}}}
	if err := w.client.Create(w.ctx, node); err != nil {
		w.t.Fatal(err)
	}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if err := w.client.Status().Update(w.ctx, node); err != nil {
		w.t.Fatal(err)
	}
	node.Spec.Taints = nil
	if err := w.client.Update(w.ctx, node); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.client.Delete(context.Background(), node) })
}

// serve starts the service.
func (w *world) serve() {
	w.t.Helper()
	rest := testenv.Start(w.t)
	rest.QPS = -1
	rest.Wrap(func(next http.RoundTripper) http.RoundTripper { return counter{next, w} })
	options := cache.Options{DefaultNamespaces: map[string]cache.Config{w.namespace: {}}}
	Cache(nil, &options)
	m, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme: testenv.Scheme(), Cache: options, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := register(m, w.ceph, "mon-manager:v1", link.Metrics{}); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ended = cancel, make(chan error, 1)
	go func() { w.ended <- m.Start(ctx) }()
}

func (w *world) halt() {
	w.t.Helper()
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("the service ended with %v", err)
	}
	w.ended <- nil
}

// counter counts requests of the service, but for events and leases.
type counter struct {
	next http.RoundTripper
	w    *world
}

func (c counter) RoundTrip(request *http.Request) (*http.Response, error) {
	path := request.URL.Path
	switch {
	case strings.Contains(path, "/events") || strings.Contains(path, "/leases"):
	case request.Method != http.MethodGet:
		c.w.t.Logf("%s %s", request.Method, path)
		c.w.writes.Add(1)
	case strings.Contains(path, "/cephclusters/"):
		c.w.reads.Add(1)
	}
	return c.next.RoundTrip(request)
}

func (w *world) create(change func(*api.CephCluster)) *api.CephCluster {
	w.t.Helper()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "my-cluster"},
		Spec: api.ClusterSpec{
			DataDirHostPath: "/var/lib/rook",
			CephVersion:     api.CephVersionSpec{Image: "ceph:v18.2.7"},
			Mon:             api.MonSpec{Count: 3},
			Mgr:             api.MgrSpec{Count: 2, AllowMultiplePerNode: true},
			Placement: api.PlacementSpec{api.KeyAll: {NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "world", Operator: corev1.NodeSelectorOpIn, Values: []string{w.namespace}}},
				}}},
			}}},
		},
	}
	if change != nil {
		change(cluster)
	}
	if err := w.client.Create(w.ctx, cluster); err != nil {
		w.t.Fatal(err)
	}
	return cluster
}

func (w *world) cluster() *api.CephCluster {
	w.t.Helper()
	cluster := &api.CephCluster{}
	if err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "my-cluster"}, cluster); err != nil {
		w.t.Fatal(err)
	}
	return cluster
}

func (w *world) edit(change func(*api.CephCluster)) {
	w.t.Helper()
	cluster := w.cluster()
	before := cluster.DeepCopy()
	change(cluster)
	if err := w.client.Patch(w.ctx, cluster, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// await waits until the cluster is as wanted.
func (w *world) await(what string, holds func(*api.CephCluster) bool) *api.CephCluster {
	w.t.Helper()
	var last *api.CephCluster
	err := wait.PollUntilContextTimeout(w.ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		last = w.cluster()
		return holds(last), nil
	})
	if err != nil {
		w.t.Fatalf("%s did not happen; status: %+v\nmonitors: %+v", what, last.Status.Conditions, last.Status.Monitors)
	}
	return last
}

func (w *world) awaitReady() *api.CephCluster {
	w.t.Helper()
	return w.await("Ready", func(c *api.CephCluster) bool {
		return condition.IsTrue(c.Status.Conditions, api.ConditionReady) && c.Status.Phase == api.PhaseReady &&
			c.Status.Daemons[api.RoleMon].Version != "" && c.Status.Daemons[api.RoleMgr].Version != "" && c.Status.CephStatus != nil
	})
}

// settle waits until the service has nothing to do: a while of passes without
// a write.
func (w *world) settle() {
	w.t.Helper()
	err := wait.PollUntilContextTimeout(w.ctx, 500*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		before, commands := w.writes.Load(), w.ceph.Writes()
		reads := w.reads.Load()
		w.edit(func(c *api.CephCluster) { // makes every controller look
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, "look", time.Now().String())
		})
		err := wait.PollUntilContextTimeout(w.ctx, 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
			return w.reads.Load() > reads, nil
		})
		return w.writes.Load() == before && w.ceph.Writes() == commands, err
	})
	if err != nil {
		w.t.Fatalf("the service never comes to rest: %v", err)
	}
}

func (w *world) reason(c *api.CephCluster, typ string) string {
	if found := condition.Find(c.Status.Conditions, typ); found != nil {
		return found.Reason
	}
	return ""
}

func TestAClusterComesUpAndRests(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	cluster := w.awaitReady()
	if got := len(w.ceph.MonNames()); got != 3 {
		t.Errorf("%d monitors are in the map", got)
	}
	if cluster.Status.Connection.FSID != w.ceph.FSID() || cluster.Status.CephStatus.FSID != w.ceph.FSID() {
		t.Errorf("the status names fsid %q", cluster.Status.Connection.FSID)
	}
	if cluster.Status.Managers.Active == "" || len(cluster.Status.Managers.Standbys) != 1 {
		t.Errorf("managers %+v", cluster.Status.Managers)
	}
	for _, name := range []string{
		names.MonSecret, names.MonsKeyring, names.AdminKeyring, names.ConfigSecret, "rook-ceph-mgr-a-keyring",
		"rook-ceph-mon-manager-keyring", "rook-ceph-osd-manager-keyring", "rook-ceph-mds-manager-keyring", "rook-ceph-rgw-manager-keyring", "rook-ceph-provisioner-keyring",
		"rook-csi-rbd-node", "rook-csi-rbd-provisioner", "rook-csi-cephfs-node", "rook-csi-cephfs-provisioner",
	} {
		if err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, &corev1.Secret{}); err != nil {
			t.Errorf("Secret %s: %v", name, err)
		}
	}
	w.settle()

	writes, commands := w.writes.Load(), w.ceph.Writes()
	t.Log("restart")
	w.halt()
	reads := w.reads.Load()
	w.serve()
	err := wait.PollUntilContextTimeout(w.ctx, 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return w.reads.Load() > reads+1, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if w.writes.Load() != writes || w.ceph.Writes() != commands {
		t.Errorf("a restart cost %d writes to Kubernetes and %d to Ceph, want none", w.writes.Load()-writes, w.ceph.Writes()-commands)
	}
}

func TestTheCountIsFollowedUpAndDown(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3", "n4", "n5")
	w.create(nil)
	w.awaitReady()
	w.edit(func(c *api.CephCluster) { c.Spec.Mon.Count = 5 })
	w.await("5 monitors", func(c *api.CephCluster) bool {
		return len(c.Status.Connection.Endpoints) == 5 && c.Status.Monitors.Change == nil
	})
	w.edit(func(c *api.CephCluster) { c.Spec.Mon.Count = 3 })
	cluster := w.await("3 monitors", func(c *api.CephCluster) bool {
		return len(c.Status.Connection.Endpoints) == 3 && c.Status.Monitors.Change == nil
	})
	if *cluster.Status.Monitors.MaxMonID != 4 {
		t.Errorf("the highest number given is %d, want 4", *cluster.Status.Monitors.MaxMonID)
	}
	w.gone("rook-ceph-mon-d", &appsv1.Deployment{})
	w.gone("rook-ceph-mon-e", &corev1.Service{})
	w.settle()
}

func (w *world) gone(name string, obj client.Object) {
	w.t.Helper()
	err := wait.PollUntilContextTimeout(w.ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return apierrors.IsNotFound(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, obj)), nil
	})
	if err != nil {
		w.t.Errorf("%T %s is still there", obj, name)
	}
}

func TestAMonitorIsReplacedWhenItsNodeIsDeleted(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3", "n4")
	w.create(nil)
	cluster := w.awaitReady()
	lost := cluster.Status.Monitors.Members[2]
	w.down["mon."+lost.Name] = true
	w.ceph.LoseMon(lost.Name)
	if err := w.client.Delete(w.ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: lost.Node}}); err != nil {
		t.Fatal(err)
	}
	cluster = w.await("a replacement", func(c *api.CephCluster) bool {
		return c.Status.Monitors.Change == nil && len(c.Status.Monitors.Members) == 3 && c.Status.Monitors.Members[2].Name == "d" &&
			condition.IsTrue(c.Status.Conditions, api.ConditionMonitorsInQuorum)
	})
	if got := cluster.Status.Monitors.Members[2].Node; got != w.node("n4") {
		t.Errorf("the new monitor is on %s", got)
	}
	if strings.Contains(cluster.Status.Connection.MonHost, lost.Address) {
		t.Error("the address of the lost monitor is still published")
	}
	w.gone(names.Mon(lost.Name), &appsv1.Deployment{})
}

func TestALostSecretStopsAndDisturbsNothing(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	before := w.awaitReady()
	w.settle()
	commands := w.ceph.Writes()
	secret := &corev1.Secret{}
	if err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: names.MonSecret}, secret); err != nil {
		t.Fatal(err)
	}
	saved := secret.DeepCopy()
	if err := w.client.Delete(w.ctx, secret); err != nil {
		t.Fatal(err)
	}
	// Only now: nobody can put a finalizer back on what is being deleted.
	if err := w.client.Patch(w.ctx, secret, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}
	w.await("the refusal", func(c *api.CephCluster) bool {
		stalled := condition.Find(c.Status.Conditions, api.ConditionStalled)
		return w.reason(c, api.ConditionMonitorsInQuorum) == api.ReasonIdentityLost && stalled != nil && stalled.Status == metav1.ConditionTrue &&
			strings.Contains(stalled.Message, "Restore the Secret")
	})
	if got := w.ceph.Writes(); got != commands {
		t.Errorf("%d commands changed Ceph", got-commands)
	}
	saved.ResourceVersion, saved.UID, saved.OwnerReferences = "", "", nil
	if err := w.client.Create(w.ctx, saved); err != nil {
		t.Fatal(err)
	}
	after := w.awaitReady()
	if after.Status.Connection.FSID != before.Status.Connection.FSID {
		t.Error("the fsid changed")
	}
}

func TestAMissingImageIsToldAndTheRunningOneStays(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	w.awaitReady()
	w.settle()
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "missing:v18.2.8" })
	w.await("the word about the image", func(c *api.CephCluster) bool {
		found := condition.Find(c.Status.Conditions, api.ConditionMonitorsInQuorum)
		return found.Status == metav1.ConditionTrue && found.Reason == api.ReasonImageMissing && strings.Contains(found.Message, `"missing:v18.2.8"`) &&
			c.Status.Phase == api.PhaseFailure
	})
	var list appsv1.DeploymentList
	if err := w.client.List(w.ctx, &list, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	for _, d := range list.Items {
		if got := d.Spec.Template.Spec.Containers[0].Image; got != "ceph:v18.2.7" {
			t.Errorf("%s runs %s", d.Name, got)
		}
	}
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "ceph:v18.2.7" })
	w.awaitReady()
}

func TestAnUpdateRollsMonitorsThenManagers(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	w.awaitReady()
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "ceph:v20.2.4" })
	cluster := w.await("the update", func(c *api.CephCluster) bool {
		return c.Status.Daemons[api.RoleMon].Version == "20.2.4-0" && c.Status.Daemons[api.RoleMgr].Version == "20.2.4-0"
	})
	if got := w.ceph.Sent("mon ok-to-stop"); got < 3 {
		t.Errorf("Ceph was asked %d times before a monitor was stopped, want 3", got)
	}
	if got := w.ceph.Sent("mgr fail"); got < 1 {
		t.Error("the active manager was restarted without handing over")
	}
	if cluster.Status.CephVersion.Version != "20.2.4-0" {
		t.Errorf("status.version is %+v", cluster.Status.CephVersion)
	}
}

func TestAnUnschedulableMonitorIsTold(t *testing.T) {
	w := newWorld(t, "n1", "n2")
	w.create(nil)
	cluster := w.await("the word about the third", func(c *api.CephCluster) bool {
		return c.Status.Monitors != nil && len(c.Status.Monitors.Members) == 2 && w.reason(c, api.ConditionMonitorsInQuorum) == api.ReasonMonitorsUnschedulable
	})
	found := condition.Find(cluster.Status.Conditions, api.ConditionMonitorsInQuorum)
	for _, says := range []string{"node " + w.node("n1") + " already runs one", "allowMultiplePerNode"} {
		if !strings.Contains(found.Message, says) {
			t.Errorf("the message lacks %q: %s", says, found.Message)
		}
	}
	w.addNode("n3")
	w.awaitReady()
}

func TestDeletionNamesItsBlockerThenEnds(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	cluster := w.create(nil)
	w.awaitReady()
	pool := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "pool-1"}}
	pool.Spec.Replicated.Size = 3
	if err := w.client.Create(w.ctx, pool); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(w.ctx, cluster); err != nil {
		t.Fatal(err)
	}
	w.await("the word about the pool", func(c *api.CephCluster) bool {
		found := condition.Find(c.Status.Conditions, api.ConditionDeletionIsBlocked)
		return found != nil && found.Status == metav1.ConditionTrue && strings.Contains(found.Message, "CephBlockPool pool-1") && c.Status.Phase == api.PhaseDeleting
	})
	if err := w.client.Delete(w.ctx, pool); err != nil {
		t.Fatal(err)
	}
	w.gone("my-cluster", &api.CephCluster{})
	for _, obj := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: names.MonSecret}}, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: names.MonEndpoints}},
	} {
		err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: obj.GetName()}, obj)
		if client.IgnoreNotFound(err) != nil || len(obj.GetFinalizers()) != 0 {
			t.Errorf("%T is still guarded by %v, %v", obj, obj.GetFinalizers(), err)
		}
		if err != nil || len(obj.GetOwnerReferences()) != 0 {
			t.Errorf("%T goes although nobody confirmed that the data may: %v, %v", obj, obj.GetOwnerReferences(), err)
		}
	}
}

func TestTheSecondClusterOfANamespaceIsRefused(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	w.awaitReady()
	second := w.cluster()
	second.ObjectMeta = metav1.ObjectMeta{Namespace: w.namespace, Name: "z-second"}
	second.Status = api.ClusterStatus{}
	if err := w.client.Create(w.ctx, second); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(w.ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		err := w.client.Get(w.ctx, client.ObjectKeyFromObject(second), second)
		return condition.IsTrue(second.Status.Conditions, api.ConditionStalled), err
	})
	if err != nil || !strings.Contains(second.Status.Message, "my-cluster") {
		t.Errorf("%v, message %q", err, second.Status.Message)
	}
	second.Finalizers = []string{"example.org/hold"}
	if err := w.client.Update(w.ctx, second); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(w.ctx, second); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.eachOwned(func(obj client.Object) {
		if owner := metav1.GetControllerOf(obj); owner == nil || owner.Name != "my-cluster" {
			t.Errorf("%T %s belongs to %+v", obj, obj.GetName(), owner)
		}
	})
}
