//go:build librados && integration

package integration_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/setup"
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
const patience = time.Minute

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// rig is the service with a fake API server, real Ceph daemons, and a node that
// runs a real metadata server for each Deployment.
type rig struct {
	t       *testing.T
	ceph    *real.Cluster
	kube    client.WithWatch
	service *setup.Service
	running map[string]bool
	// key is the service's own.
	key keyring.Key
}

func newRig(t *testing.T, release string, objs ...client.Object) *rig {
	t.Helper()
	r := &rig{t: t, ceph: real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(3), real.BlueStore()), running: map[string]bool{}}
	admin := r.ceph.Client()
	identity := keyring.MDSManager()
	user, err := admin.AuthGetOrCreate(t.Context(), identity.Entity, identity.Caps)
	r.check(err)
	r.check(admin.ConfigSet(t.Context(), "global", "mon_allow_pool_delete", "true"))
	r.key = user.Key()
	at := r.ceph.Connection()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "test", UID: "c1", Generation: 1},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:test"}},
		Status:     api.ClusterStatus{Connection: &at},
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		cluster.Status.Conditions = append(cluster.Status.Conditions, api.Condition{Type: typ, Status: metav1.ConditionTrue, Reason: "AsExpected"})
	}
	objs = append(objs, cluster, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: names.ServiceKeyring("mds-manager")},
		Data:       map[string][]byte{"keyring": []byte(keyring.Render(r.key, nil))},
	})
	r.kube = testenv.Fake(t, objs...).Build()
	recorder := events.NewFakeRecorder(10000)
	r.service = setup.New(setup.Environment{
		Kube: r.kube, Live: r.kube, Dialer: librados.Dialer{}, Clock: clock.RealClock{}, Image: "rook-ceph/mds-manager:test",
		Events: func(string) events.EventRecorder { return recorder },
	})
	return r
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
	var filesystems api.CephFilesystemList
	var groups api.CephFilesystemSubVolumeGroupList
	var clusters api.CephClusterList
	r.check(errors.Join(r.kube.List(ctx, &filesystems), r.kube.List(ctx, &groups), r.kube.List(ctx, &clusters)))
	var failed []error
	request := func(obj client.Object) ctrl.Request {
		return ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}
	}
	for i := range filesystems.Items {
		_, err := r.service.Filesystem.Reconcile(ctx, request(&filesystems.Items[i]))
		failed = append(failed, err)
	}
	for i := range groups.Items {
		_, err := r.service.Group.Reconcile(ctx, request(&groups.Items[i]))
		failed = append(failed, err)
	}
	for i := range clusters.Items {
		_, err := r.service.Report.Reconcile(ctx, &clusters.Items[i])
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// play starts and stops real metadata servers as the Deployments say.
func (r *rig) play() {
	ctx := r.t.Context()
	var list appsv1.DeploymentList
	r.check(r.kube.List(ctx, &list))
	there := map[string]bool{}
	for i := range list.Items {
		d := &list.Items[i]
		id := d.Labels[names.LabelDaemonID]
		there[id] = true
		switch running, known := r.running[id]; {
		case running:
		case known:
			r.ceph.Restart("mds." + id)
		default:
			r.ceph.AddMDS(id)
		}
		r.running[id] = true
		if d.Status.AvailableReplicas == 0 {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, UpdatedReplicas: 1, AvailableReplicas: 1}
			r.check(r.kube.Status().Update(ctx, d))
		}
	}
	for id, running := range r.running {
		if running && !there[id] {
			r.ceph.Stop("mds." + id)
			r.running[id] = false
		}
	}
}

// await lets service and node act in turns until check holds.
func (r *rig) await(what string, check func() bool) {
	r.t.Helper()
	begin, deadline := time.Now(), time.After(patience)
	ticker := time.NewTicker(100 * time.Millisecond)
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

func (r *rig) fs() *api.CephFilesystem {
	fs := &api.CephFilesystem{}
	err := r.kube.Get(r.t.Context(), client.ObjectKey{Namespace: namespace, Name: "myfs"}, fs)
	if apierrors.IsNotFound(err) {
		return nil
	}
	r.check(err)
	return fs
}

func (r *rig) condition(typ string) api.Condition {
	fs := r.fs()
	if fs == nil || fs.Status == nil {
		return api.Condition{}
	}
	return ptr.Deref(condition.Find(fs.Status.Conditions, typ), api.Condition{})
}

func (r *rig) ready() bool {
	fs := r.fs()
	c := r.condition(api.ConditionReady)
	return fs != nil && c.Status == metav1.ConditionTrue && c.Reason == api.ReasonAsExpected && c.ObservedGeneration == fs.Generation
}

func (r *rig) mdsMap() ceph.MDSMap {
	dump, err := r.ceph.Client().FSDump(r.t.Context())
	r.check(err)
	if found := dump.Find("myfs"); found != nil {
		return found.Map
	}
	return ceph.MDSMap{}
}

// change edits the file system as a user does.
func (r *rig) change(edit func(*api.FilesystemSpec)) {
	r.t.Helper()
	fs := r.fs()
	edit(&fs.Spec)
	fs.Generation++
	r.check(r.kube.Update(r.t.Context(), fs))
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

func holds(c api.Condition, words string) bool {
	return c.Status == metav1.ConditionTrue && strings.Contains(c.Message, words)
}
