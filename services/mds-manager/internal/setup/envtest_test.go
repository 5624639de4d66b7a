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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/setup"
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
// starts a metadata server for each Deployment.
type served struct {
	t         *testing.T
	client    client.Client
	namespace string
	ceph      *cephtest.Cluster
	writes    atomic.Int64
}

func serve(t *testing.T) *served {
	t.Helper()
	c := testenv.Client(t)
	s := &served{t: t, client: c, namespace: testenv.Namespace(t, c), ceph: cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3))}
	identity := keyring.MDSManager()
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
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: names.ServiceKeyring("mds-manager")},
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
	setup.Narrow(&options)
	m, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme: setup.Scheme(), Cache: options, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	s.check(err)
	s.check(setup.Controllers(m, s.ceph, "mds-manager:v1"))
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

// play starts metadata servers for new Deployments, and ends those without one.
func (s *served) play(ctx context.Context) error {
	var list appsv1.DeploymentList
	if err := s.client.List(ctx, &list, client.InNamespace(s.namespace)); err != nil {
		return err
	}
	there := map[string]bool{}
	for i := range list.Items {
		d := &list.Items[i]
		id := d.Labels[names.LabelDaemonID]
		there[id] = true
		if d.Status.ObservedGeneration == d.Generation {
			continue
		}
		s.ceph.StartMDS(id)
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
		if err := s.client.Status().Update(ctx, d); err != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	for _, id := range []string{"myfs-a", "myfs-b", "myfs-c", "myfs-d"} {
		if !there[id] && s.ceph.MDSRunning(id) {
			s.ceph.LoseMDS(id)
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
		fs := &api.CephFilesystem{}
		_ = s.client.Get(context.Background(), client.ObjectKey{Namespace: s.namespace, Name: "myfs"}, fs)
		s.t.Fatalf("%s: %v; status is %+v", what, err, fs.Status)
	}
}

func (s *served) readyWith(active int32) func(context.Context) bool {
	return func(ctx context.Context) bool {
		fs := &api.CephFilesystem{}
		if s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "myfs"}, fs) != nil || fs.Status == nil {
			return false
		}
		ready := condition.Find(fs.Status.Conditions, api.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionTrue && ready.Reason == api.ReasonAsExpected &&
			ready.ObservedGeneration == fs.Generation && fs.Status.Replicas == active
	}
}

func TestARealServerTakesAllThatIsWritten(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	fs, team := filesystem("myfs"), group("team")
	for _, obj := range []client.Object{fs, team} {
		obj.SetNamespace(s.namespace)
		obj.SetUID("")
		s.check(s.client.Create(ctx, obj))
	}
	s.await("served", s.readyWith(1))
	s.await("the group is ready", func(ctx context.Context) bool {
		found := &api.CephFilesystemSubVolumeGroup{}
		return s.client.Get(ctx, client.ObjectKeyFromObject(team), found) == nil && found.Status != nil && found.Status.Phase == api.PhaseReady
	})
	s.await("the cluster says so", func(ctx context.Context) bool {
		cluster := &api.CephCluster{}
		if s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "test"}, cluster) != nil {
			return false
		}
		return condition.IsTrue(cluster.Status.Conditions, api.ConditionFilesystemsServing) &&
			condition.IsTrue(cluster.Status.Conditions, api.ConditionMonitorsInQuorum) &&
			cluster.Status.Daemons[api.RoleMDS].Version == "18.2.7-0"
	})

	scale := &autoscalingv1.Scale{}
	s.check(s.client.SubResource("scale").Get(ctx, fs, scale))
	if scale.Status.Replicas != 1 || !strings.Contains(scale.Status.Selector, "rook_file_system=myfs") {
		t.Errorf("scale: %+v", scale.Status)
	}
	scale.Spec.Replicas = 2
	s.check(s.client.SubResource("scale").Update(ctx, fs, client.WithSubResourceBody(scale)))
	s.await("two ranks", s.readyWith(2))
	s.quiet()

	s.check(s.client.Delete(ctx, team))
	s.check(s.client.Delete(ctx, fs))
	s.await("gone", func(ctx context.Context) bool {
		return apierrors.IsNotFound(s.client.Get(ctx, client.ObjectKeyFromObject(fs), fs))
	})
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
