package link

import (
	"context"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// ErrNotConnected is the error of Session while nobody knows how to reach the
// cluster or the first connection is being made.
var ErrNotConnected = errors.New("not connected yet")

// Starting tells whether Session failed only because nobody asked yet: after a
// start of this service, or while a lost connection is made anew. It says
// nothing about the cluster.
func Starting(_ ceph.Client, err error) bool { return errors.Is(err, ErrNotConnected) }

// subscriberBuffer is how many events a subscriber may leave unread.
const subscriberBuffer = 256

// Target is where a cluster is and who to be there.
type Target struct {
	At  api.Connection
	Key keyring.Key
	// Bootstrap is true for a connection as client.admin, which serves only to
	// make the service's own user.
	Bootstrap bool
}

// same tells whether a connection to one target serves the other. A change of
// the list of mons needs no new connection: librados follows the monmap.
func (t Target) same(other Target) bool {
	return t.At.FSID == other.At.FSID && t.Key == other.Key && t.Bootstrap == other.Bootstrap
}

// Links holds the connections. It is a Runnable of the leader; connections are
// made once it runs. It is safe for concurrent use.
type Links struct {
	Dialer ceph.Dialer
	Clock  clock.WithTicker
	// Interval is the time between two looks at a cluster.
	Interval time.Duration
	Metrics  Metrics

	mu          sync.Mutex
	ctx         context.Context // the life of the Runnable, not of a call
	wait        sync.WaitGroup
	links       map[types.NamespacedName]*link
	subscribers []chan event.GenericEvent
}

// NeedLeaderElection keeps standbys from connecting.
func (*Links) NeedLeaderElection() bool { return true }

// Start connects what is or will be asked for until ctx ends.
func (l *Links) Start(ctx context.Context) error {
	l.mu.Lock()
	l.ctx = ctx
	for _, each := range l.links {
		l.run(ctx, each)
	}
	l.mu.Unlock()
	<-ctx.Done()
	l.wait.Wait()
	return nil
}

// Subscribe returns a channel with an event for a CephCluster whenever what
// its status says, or whether it answers, has changed.
func (l *Links) Subscribe() <-chan event.GenericEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make(chan event.GenericEvent, subscriberBuffer)
	l.subscribers = append(l.subscribers, events)
	return events
}

// Ensure makes sure that there is, or soon will be, a connection to target. It
// does not wait. Another identity or fsid ends the former connection.
func (l *Links) Ensure(name types.NamespacedName, target Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.links == nil {
		l.links = map[types.NamespacedName]*link{}
	}
	existing := l.links[name]
	if existing != nil && existing.retarget(target) {
		return
	}
	if existing != nil && existing.cancel != nil {
		existing.cancel()
	}
	fresh := &link{name: name, owner: l, target: target, err: ErrNotConnected}
	l.links[name] = fresh
	if l.ctx != nil {
		l.run(l.ctx, fresh)
	}
}

// Forget ends the connection to a cluster that is gone.
func (l *Links) Forget(name types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if existing := l.links[name]; existing != nil && existing.cancel != nil {
		existing.cancel()
	}
	delete(l.links, name)
	l.Metrics.forget(name)
}

// Session returns a client of the cluster, or why there is none now. It is never
// one for bootstrap.
func (l *Links) Session(name types.NamespacedName) (ceph.Client, error) {
	existing := l.get(name)
	if existing == nil || existing.bootstraps() {
		return ceph.Client{}, ErrNotConnected
	}
	return existing.session()
}

// Bootstrap returns a client of the cluster even if it is client.admin.
func (l *Links) Bootstrap(name types.NamespacedName) (ceph.Client, error) {
	existing := l.get(name)
	if existing == nil {
		return ceph.Client{}, ErrNotConnected
	}
	return existing.session()
}

func (l *Links) get(name types.NamespacedName) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.links[name]
}

// run starts the goroutine of a link; l.mu is held.
func (l *Links) run(ctx context.Context, each *link) {
	ctx, cancel := context.WithCancel(ctx)
	each.cancel = cancel
	l.wait.Go(func() { each.run(ctx) })
}

// notify tells every subscriber; one that does not read loses nothing that its
// next event would not tell.
func (l *Links) notify(name types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	for _, events := range l.subscribers {
		select {
		case events <- event.GenericEvent{Object: cluster}:
		default:
		}
	}
}
