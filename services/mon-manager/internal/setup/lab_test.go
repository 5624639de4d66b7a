package setup

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
)

var errCrash = errors.New("crash")

// fault is one write, to Kubernetes or to Ceph, that does not go well.
type fault struct {
	// at is the number of the write; 0 never.
	at int
	// after lets the write happen, while its answer is lost.
	after bool
	// lives lets the service go on; otherwise it ends there.
	lives bool
}

// lab is the service with a fake API server, a fake Ceph and nodes that run what
// they are told to, all in one thread. Every write of the service is counted,
// may fail, and is followed by a look at what must always hold.
type lab struct {
	*kubelet
	ctx     context.Context
	base    client.WithWatch
	clock   *clocktesting.FakePassiveClock
	random  io.Reader
	service *service
	fault   fault
	writes  int
	dead    bool
	// failed is the write that met the fault; over is true once the nodes are
	// not to act any more.
	failed string
	over   bool
	// begins are the numbers of the writes with which passes began.
	begins []int
	last   []string
	guard  guard
}

func newLab(t *testing.T) *lab {
	t.Helper()
	var objs []client.Object
	for i, name := range []string{"n1", "n2", "n3", "n4", "n5", "n6"} {
		objs = append(objs, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{names.LabelHostname: name}},
			Status: corev1.NodeStatus{
				Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
				Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.168.0." + strconv.Itoa(i+1)}},
			},
		})
	}
	l := &lab{
		ctx: t.Context(), base: memo{}.client(testenv.Fake(t, objs...).WithRESTMapper(mapper()).Build()),
		clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		// One stream for all lives of the service: a second identity would differ.
		random: rand.New(rand.NewSource(1)),
	}
	l.kubelet = &kubelet{
		t: t, client: l.base, namespace: "rook-ceph", ceph: cephtest.New(t),
		broken: map[string]bool{}, down: map[string]bool{}, runs: map[string]bool{},
	}
	l.guard = guard{lab: l, removed: map[string]bool{}}
	l.restart()
	return l
}

// mapper is made once for all tests of the binary; it never changes.
var mapper = sync.OnceValue(func() meta.RESTMapper { return testrestmapper.TestOnlyStaticRESTMapper(testenv.Scheme()) })

// restart begins a new life of the service, which remembers nothing.
func (l *lab) restart() {
	l.dead = false
	kube := interceptor.NewClient(l.base, l.faults())
	l.service = newService(environment{
		kube: kube, live: kube, links: &wires{lab: l, targets: map[types.NamespacedName]link.Target{}},
		events: func(string) events.EventRecorder { return &events.FakeRecorder{} },
		clock:  l.clock, random: l.random, image: "mon-manager:v1",
	})
}

// write is where every write of the service passes.
func (l *lab) write(what string, lost error, do func() error) error {
	if l.dead {
		return lost
	}
	l.writes++
	l.last = append(l.last[max(0, len(l.last)-11):], what)
	if l.writes != l.fault.at {
		err := do()
		l.guard.look(what)
		return err
	}
	l.dead, l.failed = !l.fault.lives, what
	if l.fault.after {
		_ = do()
		l.guard.look(what)
	}
	return lost
}

// faults is the way to the API server. It also does what a real one does and the
// fake does not.
func (l *lab) faults() interceptor.Funcs {
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return l.write(describe("create", obj), errCrash, func() error {
				if secret, ok := obj.(*corev1.Secret); ok {
					secret.Data = map[string][]byte{}
					for key, value := range secret.StringData {
						secret.Data[key] = []byte(value)
					}
					secret.StringData = nil
				}
				return c.Create(ctx, obj, opts...)
			})
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return l.write(describe("update", obj), errCrash, func() error { return c.Update(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return l.write(describe("delete", obj), errCrash, func() error { return c.Delete(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return l.write(describe("patch", obj), errCrash, func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			what := describe("apply", obj)
			return l.write(what, errCrash, func() error {
				return errors.Join(c.Apply(ctx, obj, opts...), l.allocate(ctx, strings.TrimPrefix(what, "apply Service ")))
			})
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			return l.write(describe("apply "+sub+" of", obj), errCrash, func() error { return c.SubResource(sub).Apply(ctx, obj, opts...) })
		},
	}
}

// allocate gives the Service of a monitor its address.
func (l *lab) allocate(ctx context.Context, name string) error {
	letter, isMon := strings.CutPrefix(name, "rook-ceph-mon-")
	if !isMon {
		return nil
	}
	var service corev1.Service
	if err := l.base.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: name}, &service); err != nil || service.Spec.ClusterIP != "" {
		return client.IgnoreNotFound(err)
	}
	service.Spec.ClusterIP = "10.0.0." + string('1'+rune(letter[0]-'a'))
	return l.base.Update(ctx, &service, client.FieldOwner("kube-apiserver"))
}

func describe(verb string, obj any) string {
	var known struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	body, err := json.Marshal(obj)
	if err != nil || json.Unmarshal(body, &known) != nil {
		return verb
	}
	return verb + " " + known.Kind + " " + known.Metadata.Name
}

// wires are the connections to Ceph: made when they are needed, lost with the
// service.
type wires struct {
	lab     *lab
	targets map[types.NamespacedName]link.Target
}

func (w *wires) Ensure(name types.NamespacedName, target link.Target) { w.targets[name] = target }

func (w *wires) Forget(name types.NamespacedName) { delete(w.targets, name) }

func (w *wires) Session(name types.NamespacedName) (ceph.Client, error) {
	if w.targets[name].Bootstrap {
		return ceph.Client{}, link.ErrNotConnected
	}
	return w.Bootstrap(name)
}

func (w *wires) Bootstrap(name types.NamespacedName) (ceph.Client, error) {
	target, known := w.targets[name]
	if !known {
		return ceph.Client{}, link.ErrNotConnected
	}
	conn, err := w.lab.ceph.Dial(w.lab.ctx, target.At, target.Key)
	return ceph.Client{Conn: wire{conn, w.lab}}, err
}

// wire is a connection whose commands may fail.
type wire struct {
	ceph.Conn
	lab *lab
}

func (w wire) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return w.send(ctx, cmd, w.Conn.Mon)
}

func (w wire) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return w.send(ctx, cmd, w.Conn.Mgr)
}

func (w wire) send(ctx context.Context, cmd ceph.Command, send func(context.Context, ceph.Command) (ceph.Reply, error)) (ceph.Reply, error) {
	if !cephtest.IsWrite(cmd.Prefix) {
		return send(ctx, cmd)
	}
	var reply ceph.Reply
	err := w.lab.write("ceph "+cmd.Prefix, errors.Join(ceph.ErrUnreachable, errCrash), func() error {
		w.lab.guard.command(cmd)
		var err error
		reply, err = send(ctx, cmd)
		return err
	})
	return reply, err
}

// pass runs every controller once. The end of the service ends it.
func (l *lab) pass() error {
	l.begins = append(l.begins, l.writes+1)
	var failed []error
	for _, do := range []func(context.Context, *api.CephCluster) (reconcile.Result, error){
		l.service.quorum.Reconcile, l.service.mgr.Reconcile, l.service.users.Reconcile,
		l.service.settings.Reconcile, l.service.health.Reconcile, l.service.report.Reconcile,
	} {
		cluster := &api.CephCluster{}
		err := l.base.Get(l.ctx, l.key(), cluster)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err != nil || l.dead {
			break
		}
		_, err = do(l.ctx, cluster)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (l *lab) key() client.ObjectKey {
	return client.ObjectKey{Namespace: l.namespace, Name: "my-cluster"}
}

// settle lets the service and the nodes act in turns until both rest. A service
// that ended is started again.
func (l *lab) settle() {
	l.t.Helper()
	for quiet := 0; quiet < 2; {
		before := l.writes
		err := l.pass()
		switch {
		case l.dead:
			l.restart()
		case err != nil && !errors.Is(err, errCrash):
			l.t.Fatalf("unexpected error: %v", err)
		}
		if !l.over {
			l.sync(l.ctx)
			l.guard.look("the nodes")
		}
		if quiet++; l.writes != before {
			quiet = 0
		}
		if l.writes > 1000 {
			l.t.Fatalf("the service does not come to rest:\n%s", strings.Join(l.last, "\n"))
		}
	}
}
