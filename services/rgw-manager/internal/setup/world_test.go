package setup_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
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

const (
	namespace = "rook-ceph"
	cephImage = "ceph:v18.2.7"
	newImage  = "ceph:v20.2.4"
)

var errCrash = errors.New("crash")

// world is the service with a fake API server, a fake Ceph and nodes that run
// what they are told to.
type world struct {
	t       *testing.T
	ceph    *cephtest.Cluster
	kube    client.WithWatch
	live    client.Reader
	clock   *clocktesting.FakePassiveClock
	events  *events.FakeRecorder
	service *setup.Service
	image   string

	writes int
	last   []string
	// crashAt is the write at which the service crashes; 0 never. After lets the
	// write happen before the crash.
	crashAt int
	after   bool
	// playing is true while the nodes act, whose writes do not count.
	playing bool
	// running is the pod template of each gateway that runs.
	running map[string]string
	// realm is what has been set up, gates the gateways.
	realm  *realm
	gates  *gates
	sights *sights
	// wishes are those of Jobs that ran, in order, and job is how a Job ends.
	wishes []rgwadmin.Wanted
	job    func(rgwadmin.Wanted) rgwadmin.Result
	// answers change what the monitors say to a command.
	answers map[string]func([]byte) []byte
}

func newWorld(t *testing.T, objs ...client.Object) *world {
	w := &world{
		t: t, ceph: cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3)), image: "rook-ceph/rgw-manager:v1",
		clock:   clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		events:  events.NewFakeRecorder(10000),
		running: map[string]string{}, realm: &realm{}, answers: map[string]func([]byte) []byte{},
		job: applied, sights: &sights{},
	}
	identity := keyring.RGWManager()
	key := keyring.Key{Entity: identity.Entity, Secret: cephtest.DefaultSecret}
	w.ceph.AddUser(ceph.AuthUser{Entity: identity.Entity, Secret: key.Secret, Caps: identity.Caps})
	if err := w.ceph.Client().ConfigSet(t.Context(), "mon", "mon_allow_pool_delete", "true"); err != nil {
		t.Fatal(err)
	}
	objs = append(objs, w.newCluster(),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: names.ServiceKeyring("rgw-manager")},
			Data: map[string][]byte{"keyring": []byte(keyring.Render(key, nil))}})
	w.kube = testenv.Fake(t, objs...).WithInterceptorFuncs(testenv.Apart(w.counter())).Build()
	w.live = w.kube
	w.gates = &gates{runs: func(name string) bool { return w.running[name] != "" }, buckets: map[string][]string{}}
	w.restart()
	return w
}

func (w *world) newCluster() *api.CephCluster {
	at := w.ceph.Connection()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "test", UID: "c1", Generation: 1},
		Spec: api.ClusterSpec{
			DataDirHostPath:      "/var/lib/rook",
			CephVersion:          api.CephVersionSpec{Image: cephImage},
			DisruptionManagement: api.DisruptionManagementSpec{ManagePodBudgets: true},
		},
		Status: api.ClusterStatus{Connection: &at, Daemons: map[string]api.DaemonStatus{}},
	}
	for _, role := range []string{api.RoleMon, api.RoleMgr, api.RoleOSD} {
		cluster.Status.Daemons[role] = api.DaemonStatus{Image: cephImage, Version: "18.2.7-0"}
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, api.Condition{Type: typ, Status: metav1.ConditionTrue, Reason: "AsExpected"})
	}
	return cluster
}

// someStore is one with replicated pools that listens on port 80.
func someStore(name string, edit ...func(*api.CephObjectStore)) *api.CephObjectStore {
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("s-" + name), Generation: 1}}
	replicated := api.PoolSpec{Replicated: api.ReplicatedSpec{Size: 3}}
	store.Spec.MetadataPool, store.Spec.DataPool = replicated.DeepCopy(), replicated.DeepCopy()
	store.Spec.Gateway = api.GatewaySpec{Port: 80, Instances: ptr.To[int32](1)}
	for _, e := range edit {
		e(store)
	}
	return store
}

// counter counts the writes of the service and crashes it at one of them.
func (w *world) counter() interceptor.Funcs {
	write := func(verb string, obj any, do func() error) error {
		if w.playing {
			return do()
		}
		w.writes++
		if body, err := json.Marshal(obj); err == nil {
			w.last = append(w.last[max(0, len(w.last)-5):], verb+" "+string(body))
		}
		if w.crashAt == 0 || w.writes < w.crashAt {
			return do()
		}
		if w.writes == w.crashAt && w.after {
			_ = do()
		}
		return errCrash
	}
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return write("create", obj, func() error { return c.Create(ctx, obj, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return write("update", obj, func() error { return c.Update(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return write("delete", obj, func() error { return c.Delete(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return write("patch", obj, func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return write("apply", obj, func() error { return errors.Join(c.Apply(ctx, obj, opts...), w.stopChanged(ctx, c)) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			return write("apply "+sub, obj, func() error { return c.SubResource(sub).Apply(ctx, obj, opts...) })
		},
	}
}

// stopChanged makes a Deployment whose template changed unavailable at once.
func (w *world) stopChanged(ctx context.Context, c client.WithWatch) error {
	var list appsv1.DeploymentList
	if err := c.List(ctx, &list); err != nil {
		return err
	}
	for i := range list.Items {
		d := &list.Items[i]
		if d.Status.AvailableReplicas == 0 || w.running[d.Labels[names.LabelObjectStore]] == d.Spec.Template.String() {
			continue
		}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, UnavailableReplicas: 1}
		if err := c.Status().Update(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// restart begins a new life of the service, which remembers nothing.
func (w *world) restart() {
	w.service = setup.New(setup.Environment{
		Kube: w.kube, Live: w.live, Dialer: w, Clock: w.clock, Image: w.image, Setup: w.realm, Gateways: w.gates, Sights: w.sights,
		Events: func(string) events.EventRecorder { return w.events },
	})
}

// Dial connects to the cluster.
func (w *world) Dial(ctx context.Context, at api.Connection, key keyring.Key) (ceph.Conn, error) {
	conn, err := w.ceph.Dial(ctx, at, key)
	return &edited{Conn: conn, answers: w.answers}, err
}

// edited is a connection whose answers are changed on the way.
type edited struct {
	ceph.Conn
	answers map[string]func([]byte) []byte
}

// Mon changes the answer.
func (e *edited) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	reply, err := e.Conn.Mon(ctx, cmd)
	if edit := e.answers[cmd.Prefix]; edit != nil && err == nil {
		reply.Body = edit(reply.Body)
	}
	return reply, err
}

// pass runs every controller once for every object, stores first. A crash ends it.
func (w *world) pass() error {
	ctx := w.t.Context()
	var failed []error
	for _, one := range []struct {
		kind client.ObjectList
		do   reconcile.Reconciler
	}{
		{&api.CephObjectStoreList{}, &w.service.Store},
		{&api.CephObjectRealmList{}, &w.service.Realm},
		{&api.CephObjectZoneGroupList{}, &w.service.ZoneGroup},
		{&api.CephObjectZoneList{}, &w.service.Zone},
	} {
		w.check(w.kube.List(ctx, one.kind))
		w.check(meta.EachListItem(one.kind, func(item runtime.Object) error {
			_, err := one.do.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			if !apierrors.IsConflict(err) {
				failed = append(failed, err)
			}
			return nil
		}))
	}
	var clusters api.CephClusterList
	w.check(w.kube.List(ctx, &clusters))
	for i := range clusters.Items {
		_, err := w.service.Report.Reconcile(ctx, &clusters.Items[i])
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// settle lets the service and the nodes act in turns until both rest.
func (w *world) settle() {
	w.t.Helper()
	refused := 0 // what Ceph refuses is asked again and again
	for range 200 {
		before, asked := w.writes, w.ceph.Writes()
		if err := w.pass(); err != nil {
			w.t.Fatal(err)
		}
		acted := w.play()
		rests := w.writes == before && !acted
		if refused++; !rests {
			refused = 0
		}
		if rests && (w.ceph.Writes() == asked || refused > 3) {
			return
		}
	}
	w.t.Fatalf("the service does not come to rest:\n%s", strings.Join(w.last, "\n"))
}

// play is what the nodes do: finish the Job that sets up a realm, start and stop
// pods. It tells whether they did anything.
func (w *world) play() bool {
	w.playing = true
	defer func() { w.playing = false }()
	ctx, acted := w.t.Context(), w.realm.play(func(wish store.Wish) {
		if !wish.Gone && !slices.Contains(w.pools(), ".rgw.root") {
			w.t.Error("a realm was set up before its pool was there")
		}
	})
	acted = w.runJobs() || acted
	var list appsv1.DeploymentList
	w.check(w.kube.List(ctx, &list))
	there, gateways := map[string]bool{}, 0
	for i := range list.Items {
		d := &list.Items[i]
		name, template := d.Labels[names.LabelObjectStore], d.Spec.Template.String()
		there[name] = true
		want := ptr.Deref(d.Spec.Replicas, 1)
		gateways += int(want)
		if w.running[name] == template && d.Status.AvailableReplicas == want {
			continue
		}
		acted = true
		if _, keyed := w.ceph.User("client.rgw." + name + ".a"); !keyed {
			w.t.Fatalf("the gateways of %s run without a key", name)
		}
		w.running[name] = template
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, UpdatedReplicas: want, AvailableReplicas: want, ReadyReplicas: want, Replicas: want}
		w.check(w.kube.Status().Update(ctx, d))
	}
	for name := range w.running {
		if !there[name] {
			delete(w.running, name)
			acted = true
		}
	}
	w.ceph.RunGateways(gateways)
	return acted
}

// change edits an object as a user does.
func (w *world) change(obj client.Object, edit func()) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	w.check(w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(obj), obj))
	edit()
	obj.SetGeneration(obj.GetGeneration() + 1)
	w.check(w.kube.Update(w.t.Context(), obj))
}

// report changes what another service says about the cluster.
func (w *world) report(edit func(*api.ClusterStatus)) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	cluster := &api.CephCluster{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster))
	edit(&cluster.Status)
	w.check(w.kube.Status().Update(w.t.Context(), cluster))
}

func (w *world) create(obj client.Object) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	w.check(w.kube.Create(w.t.Context(), obj))
}

func (w *world) remove(obj client.Object) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	w.check(w.kube.Delete(w.t.Context(), obj))
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// store reads a store; nil when it is gone.
func (w *world) store(name string) *api.CephObjectStore {
	w.t.Helper()
	store := &api.CephObjectStore{}
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, store)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	return store
}

func (w *world) condition(name, typ string) api.Condition {
	w.t.Helper()
	found := w.store(name)
	if found == nil || found.Status == nil {
		w.t.Fatalf("no status of %s", name)
	}
	return ptr.Deref(condition.Find(found.Status.Conditions, typ), api.Condition{})
}

// cluster reads the cluster.
func (w *world) cluster() *api.CephCluster {
	w.t.Helper()
	cluster := &api.CephCluster{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster))
	return cluster
}

func (w *world) serving() api.Condition {
	return ptr.Deref(condition.Find(w.cluster().Status.Conditions, api.ConditionObjectStoresServing), api.Condition{})
}

// deployment reads that of a store; nil when there is none.
func (w *world) deployment(name string) *appsv1.Deployment {
	w.t.Helper()
	d := &appsv1.Deployment{}
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: names.RGWDeployment(name)}, d)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.check(err)
	return d
}

// pools are the names of those in Ceph, sorted.
func (w *world) pools() []string {
	list, err := w.ceph.Client().PoolNames(w.t.Context())
	w.check(err)
	slices.Sort(list)
	return list
}

// told empties the events.
func (w *world) told() []string {
	var all []string
	for {
		select {
		case text := <-w.events.Events:
			all = append(all, text)
		default:
			return all
		}
	}
}
