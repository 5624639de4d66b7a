//go:build envtest

package setup_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/store"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// patience is how long a test waits before it fails; the box may be busy.
const patience = 90 * time.Second

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// served is the service with a real API server, a fake Ceph and a node that
// starts a gateway for each Deployment.
type served struct {
	t         *testing.T
	client    client.Client
	namespace string
	ceph      *cephtest.Cluster
	writes    atomic.Int64
	realm     *realm
	gates     *gates
	running   atomic.Bool
}

func serve(t *testing.T) *served {
	t.Helper()
	c := testenv.Client(t)
	s := &served{t: t, client: c, namespace: testenv.Namespace(t, c), ceph: cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3))}
	s.realm, s.gates = &realm{}, &gates{runs: func(string) bool { return s.running.Load() }, buckets: map[string][]string{}}
	identity := keyring.RGWManager()
	key := keyring.Key{Entity: identity.Entity, Secret: cephtest.DefaultSecret}
	s.ceph.AddUser(ceph.AuthUser{Entity: identity.Entity, Secret: key.Secret, Caps: identity.Caps})
	s.check(s.ceph.Client().ConfigSet(t.Context(), "mon", "mon_allow_pool_delete", "true"))
	at := s.ceph.Connection()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "test"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: cephImage}},
	}
	s.check(c.Create(t.Context(), cluster))
	cluster.Status.Connection = &at
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, api.Condition{Type: typ, Status: metav1.ConditionTrue, Reason: "AsExpected"})
	}
	s.check(c.Status().Update(t.Context(), cluster))
	s.check(c.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: names.ServiceKeyring("rgw-manager")},
		Data:       map[string][]byte{"keyring": []byte(keyring.Render(key, nil))},
	}))
	s.start()
	return s
}

func (s *served) start() {
	rest := testenv.Start(s.t)
	rest.QPS = -1
	rest.Wrap(func(next http.RoundTripper) http.RoundTripper { return counter{next, s} })
	options := cache.Options{DefaultNamespaces: map[string]cache.Config{s.namespace: {}}}
	setup.Narrow(&options, nil)
	m, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme: setup.Scheme(), Cache: options, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	s.check(err)
	s.check(setup.New(setup.Environment{
		Kube: m.GetClient(), Live: m.GetAPIReader(), Dialer: s.ceph, Events: m.GetEventRecorder, Clock: clock.RealClock{},
		Image: "rgw-manager:v1", Setup: s.realm, Gateways: s.gates, Sights: &sights{},
	}).Register(m))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the service ended with %v", err)
		}
	})
}

// counter counts the writes of the service, but for events and leases.
type counter struct {
	next http.RoundTripper
	s    *served
}

func (c counter) RoundTrip(request *http.Request) (*http.Response, error) {
	path := request.URL.Path
	if request.Method != http.MethodGet && !strings.Contains(path, "/events") && !strings.Contains(path, "/leases") {
		c.s.writes.Add(1)
	}
	return c.next.RoundTrip(request)
}

func (s *served) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// play finishes Jobs and starts gateways for new Deployments.
func (s *served) play(ctx context.Context) error {
	s.realm.play(func(store.Wish) {})
	var list appsv1.DeploymentList
	if err := s.client.List(ctx, &list, client.InNamespace(s.namespace)); err != nil {
		return err
	}
	s.running.Store(len(list.Items) > 0)
	for i := range list.Items {
		d := &list.Items[i]
		if d.Status.ObservedGeneration == d.Generation {
			continue
		}
		want := *d.Spec.Replicas
		s.ceph.RunGateways(int(want))
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: want, UpdatedReplicas: want, ReadyReplicas: want, AvailableReplicas: want}
		if err := s.client.Status().Update(ctx, d); err != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}

func (s *served) await(what string, check func(context.Context) bool) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return s.play(ctx) == nil && check(ctx), nil
	})
	if err != nil {
		found := &api.CephObjectStore{}
		_ = s.client.Get(context.Background(), client.ObjectKey{Namespace: s.namespace, Name: "my-store"}, found)
		s.t.Fatalf("%s: %v; status is %+v", what, err, found.Status)
	}
}

func (s *served) readyWith(active int32) func(context.Context) bool {
	return func(ctx context.Context) bool {
		found := &api.CephObjectStore{}
		if s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "my-store"}, found) != nil || found.Status == nil {
			return false
		}
		ready := condition.Find(found.Status.Conditions, api.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionTrue && ready.Reason == api.ReasonAsExpected &&
			ready.ObservedGeneration == found.Generation && found.Status.Replicas == active
	}
}

func TestARealServerTakesAllThatIsWritten(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	own := someStore("my-store", func(o *api.CephObjectStore) {
		o.Namespace, o.UID = s.namespace, ""
		o.Spec.Gateway.Instances = ptr.To[int32](2)
		o.Spec.Gateway.Service = &api.RGWServiceSpec{Annotations: api.Annotations{"a": "b"}}
	})
	s.check(s.client.Create(ctx, own))
	s.await("served", s.readyWith(2))
	s.await("the cluster says so", func(ctx context.Context) bool {
		cluster := &api.CephCluster{}
		if s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "test"}, cluster) != nil {
			return false
		}
		return condition.IsTrue(cluster.Status.Conditions, api.ConditionObjectStoresServing) &&
			condition.IsTrue(cluster.Status.Conditions, api.ConditionMonitorsInQuorum) &&
			cluster.Status.Daemons[api.RoleRGW].Version == "18.2.7-0"
	})

	scale := &autoscalingv1.Scale{}
	s.check(s.client.SubResource("scale").Get(ctx, own, scale))
	if scale.Status.Replicas != 2 || !strings.Contains(scale.Status.Selector, "rgw=my-store") {
		t.Errorf("scale: %+v", scale.Status)
	}
	scale.Spec.Replicas = 3
	s.check(s.client.SubResource("scale").Update(ctx, own, client.WithSubResourceBody(scale)))
	s.await("three gateways", s.readyWith(3))
	s.quiet()

	outside := someStore("outside", func(o *api.CephObjectStore) {
		o.Namespace, o.UID = s.namespace, ""
		o.Spec.MetadataPool, o.Spec.DataPool, o.Spec.Gateway.Instances = nil, nil, nil
		o.Spec.Gateway.ExternalRGWEndpoints = []api.EndpointAddress{{IP: "10.0.0.1"}, {IP: "fd00::1"}}
	})
	s.check(s.client.Create(ctx, outside))
	s.await("the gateways elsewhere are served", func(ctx context.Context) bool {
		var list discoveryv1.EndpointSliceList
		return s.client.Get(ctx, client.ObjectKeyFromObject(outside), outside) == nil && outside.Status != nil && outside.Status.Phase == api.PhaseReady &&
			s.client.List(ctx, &list, client.InNamespace(s.namespace)) == nil && len(list.Items) == 2
	})

	for _, obj := range []client.Object{own, outside} {
		s.check(s.client.Delete(ctx, obj))
		s.await("gone", func(ctx context.Context) bool {
			return apierrors.IsNotFound(s.client.Get(ctx, client.ObjectKeyFromObject(obj), obj))
		})
	}
	s.check(s.client.Delete(ctx, &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "test"}}))
	s.await("the cluster is let go", func(ctx context.Context) bool {
		cluster := &api.CephCluster{}
		return apierrors.IsNotFound(s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "test"}, cluster))
	})
}

// quiet waits until the service rests, and that it stays so although every
// object is looked at again.
func (s *served) quiet() {
	s.t.Helper()
	last, since := int64(-1), time.Now()
	s.await("rest", func(context.Context) bool {
		if now := s.writes.Load(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
	var list appsv1.DeploymentList
	s.check(s.client.List(s.t.Context(), &list, client.InNamespace(s.namespace)))
	s.ceph.ForgetCommands()
	for i := range list.Items {
		list.Items[i].Labels["touched"] = "true"
		s.check(s.client.Update(s.t.Context(), &list.Items[i]))
	}
	s.await("rest again", func(context.Context) bool { return len(s.ceph.Commands()) > 0 && time.Since(since) > 4*time.Second })
	if got := s.writes.Load(); got != last || s.ceph.Writes() != 0 {
		s.t.Errorf("a settled service wrote %d times, and %d times to Ceph", got-last, s.ceph.Writes())
	}
}
