//go:build librados && integration

package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/store"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const namespace = "rook-ceph"

// patience bounds every wait.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// rig is the service with a fake API server, real Ceph daemons, a node that runs a
// real gateway for each Deployment, and Jobs that run the real radosgw-admin.
type rig struct {
	t       *testing.T
	ceph    *real.Cluster
	kube    client.WithWatch
	service *setup.Service
	gates   *ops.Pool
	// ports are those that gateways of stores listen at; a free one where there is none.
	ports map[string]int
	// running is where the gateways of each store are; empty once they were stopped.
	running gateways
	// key is the service's own.
	key keyring.Key
}

// gateways are where stores are served, by name. Connections are made by goroutines of
// their own.
type gateways struct {
	mu    sync.Mutex
	where map[string]string
}

func (g *gateways) at(store string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.where[store]
}

func (g *gateways) set(store, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.where == nil {
		g.where = map[string]string{}
	}
	g.where[store] = address
}

func (g *gateways) all() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.where)
}

func newRig(t *testing.T, release string, objs ...client.Object) *rig {
	t.Helper()
	return newRigOf(t, real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(3), real.BlueStore()), objs...)
}

func newRigOf(t *testing.T, cluster *real.Cluster, objs ...client.Object) *rig {
	t.Helper()
	r := &rig{t: t, ceph: cluster, ports: map[string]int{}}
	identity := keyring.RGWManager()
	r.key = r.ceph.Identity(identity.Entity, identity.Caps)
	r.check(r.ceph.Client().ConfigSet(t.Context(), "global", "mon_allow_pool_delete", "true"))
	at := r.ceph.Connection()
	object := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "test", UID: "c1", Generation: 1},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:test"}},
		Status:     api.ClusterStatus{Connection: &at},
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		object.Status.Conditions = append(object.Status.Conditions, api.Condition{Type: typ, Status: metav1.ConditionTrue, Reason: "AsExpected"})
	}
	objs = append(objs, object, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: names.ServiceKeyring("rgw-manager")},
		Data:       map[string][]byte{"keyring": []byte(keyring.Render(r.key, nil))},
	})
	r.kube = testenv.Fake(t, objs...).Build()
	r.gates = &ops.Pool{Reader: r.kube, Transport: r.transport}
	recorder := events.NewFakeRecorder(10000)
	r.service = setup.New(setup.Environment{
		Kube: r.kube, Live: r.kube, Dialer: librados.Dialer{}, Clock: clock.RealClock{}, Image: "rook-ceph/rgw-manager:test",
		Events:   func(string) events.EventRecorder { return recorder },
		Gateways: store.Admins{Pool: r.gates}, Transport: r.transport,
	})
	return r
}

// transport leads the names of Services to the gateways of this test.
func (r *rig) transport(*tls.Config) http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if to, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(to) != nil {
			return (&net.Dialer{}).DialContext(ctx, network, address) // a gateway of another cluster
		}
		host, _, _ := strings.Cut(address, ".")
		at := r.running.at(strings.TrimPrefix(host, "rook-ceph-rgw-"))
		if at == "" {
			return nil, fmt.Errorf("nobody listens at %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(at, "http://"))
	}}
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// pass runs every controller once for every object.
func (r *rig) pass() error {
	ctx := r.t.Context()
	var failed []error
	for _, one := range []struct {
		kind client.ObjectList
		do   reconcile.Reconciler
	}{
		{&api.CephObjectRealmList{}, &r.service.Realm},
		{&api.CephObjectZoneGroupList{}, &r.service.ZoneGroup},
		{&api.CephObjectZoneList{}, &r.service.Zone},
		{&api.CephObjectStoreList{}, &r.service.Store},
	} {
		r.check(r.kube.List(ctx, one.kind))
		r.check(meta.EachListItem(one.kind, func(item runtime.Object) error {
			_, err := one.do.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			failed = append(failed, err)
			return nil
		}))
	}
	var clusters api.CephClusterList
	r.check(r.kube.List(ctx, &clusters))
	for i := range clusters.Items {
		_, err := r.service.Report.Reconcile(ctx, &clusters.Items[i])
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// play runs Jobs, and starts and stops real gateways as the Deployments say.
func (r *rig) play() {
	ctx := r.t.Context()
	r.runJobs()
	var list appsv1.DeploymentList
	r.check(r.kube.List(ctx, &list))
	there := map[string]bool{}
	for i := range list.Items {
		d := &list.Items[i]
		name := d.Labels[names.LabelObjectStore]
		there[name] = true
		if r.running.at(name) == "" {
			r.running.set(name, r.start(name, d.Spec.Template.Spec.Containers[0].Args))
		}
		if want := ptr.Deref(d.Spec.Replicas, 1); d.Status.AvailableReplicas != want {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: want, UpdatedReplicas: want, AvailableReplicas: want}
			r.check(r.kube.Status().Update(ctx, d))
		}
	}
	for name, at := range r.running.all() {
		if at != "" && !there[name] {
			r.ceph.Stop("client.rgw." + name + ".a")
			r.running.set(name, "")
		}
	}
}

// start runs a gateway with the arguments of its Deployment, but for those that say
// where it listens and what belongs to pods.
func (r *rig) start(name string, args []string) string {
	gateway := real.Gateway{ID: name + ".a", Port: r.ports[name]}
	for _, arg := range args {
		flag, value, _ := strings.Cut(arg, "=")
		switch flag {
		case "--rgw-realm":
			gateway.Realm = value
		case "--rgw-zonegroup":
			gateway.ZoneGroup = value
		case "--rgw-zone":
			gateway.Zone = value
		case "--id":
			if value != "rgw."+gateway.ID {
				r.t.Errorf("the gateway calls itself %s", value)
			}
		}
	}
	return r.ceph.AddRGW(gateway)
}

// await lets service and node act in turns until check holds.
func (r *rig) await(what string, check func() bool) {
	r.t.Helper()
	begin, deadline := time.Now(), time.After(patience)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := r.pass()
		r.play()
		if err == nil && check() {
			r.t.Logf("%s after %s", what, time.Since(begin).Round(10*time.Millisecond))
			return
		}
		select {
		case <-deadline:
			r.t.Fatalf("%s: not within %s: %v; Ready is %+v", what, patience, err, r.condition(api.ConditionReady))
		case <-ticker.C:
		}
	}
}

func (r *rig) store() *api.CephObjectStore {
	found := &api.CephObjectStore{}
	err := r.kube.Get(r.t.Context(), client.ObjectKey{Namespace: namespace, Name: "my-store"}, found)
	if apierrors.IsNotFound(err) {
		return nil
	}
	r.check(err)
	return found
}

func (r *rig) condition(typ string) api.Condition {
	found := r.store()
	if found == nil || found.Status == nil {
		return api.Condition{}
	}
	return ptr.Deref(condition.Find(found.Status.Conditions, typ), api.Condition{})
}

func (r *rig) ready() bool {
	c, found := r.condition(api.ConditionReady), r.store()
	return found != nil && c.Status == metav1.ConditionTrue && c.Reason == api.ReasonAsExpected && c.ObservedGeneration == found.Generation
}

// change edits the store as a user does.
func (r *rig) change(edit func(*api.ObjectStoreSpec)) {
	r.t.Helper()
	found := r.store()
	edit(&found.Spec)
	found.Generation++
	r.check(r.kube.Update(r.t.Context(), found))
}

// mayNot wants the service's own identity to be refused.
func (r *rig) mayNot(prefix string, args map[string]any) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	conn, err := librados.Dialer{}.Dial(ctx, r.ceph.Connection(), r.key)
	r.check(err)
	defer conn.Close()
	if _, err := conn.Mon(ctx, ceph.Command{Prefix: prefix, Args: args}); !errors.Is(err, ceph.ErrDenied) {
		r.t.Errorf("%s %v: got %v, want it denied", prefix, args, err)
	}
}
