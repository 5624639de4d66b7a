package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// dialTimeout bounds one attempt to connect.
	dialTimeout = 15 * time.Second
	// retryAfter is how soon to look again for a Secret that is not watched.
	retryAfter = 2 * time.Second
)

// Pool holds the connections. Its zero value is not usable: Service, Secrets and
// Dialer must be set. It is safe for concurrent use; a cluster that does not answer
// blocks only those who ask for it.
type Pool struct {
	// Service is whose cephx identity the sessions use, such as osd-manager.
	Service string
	// Secrets reads the keyring, past the cache: it is read once per connection.
	Secrets client.Reader
	// Dialer opens connections.
	Dialer ceph.Dialer

	mu      sync.Mutex
	entries map[types.NamespacedName]*entry
}

type entry struct {
	mu   sync.Mutex
	fsid string
	conn ceph.Conn
}

// Client returns a client of the cluster, or the outcome that says what is
// missing for one. The context bounds only the dialling.
func (p *Pool) Client(ctx context.Context, cluster *api.CephCluster) (ceph.Client, step.Outcome, error) {
	at := cluster.Status.Connection
	if at == nil || at.FSID == "" || at.MonHost == "" {
		return ceph.Client{}, step.Wait(api.ReasonWaiting, "Waiting for mon-manager: the connection is not published yet"), nil
	}
	e := p.entry(client.ObjectKeyFromObject(cluster))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && e.fsid == at.FSID {
		return e.share(e.conn), step.Done, nil
	}
	e.close()
	key, outcome, err := p.key(ctx, cluster)
	if err != nil || !outcome.IsDone() {
		return ceph.Client{}, outcome, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := p.Dialer.Dial(ctx, *at, key)
	if err != nil {
		return ceph.Client{}, step.None, fmt.Errorf("connect to cluster %s: %w", cluster.Name, err)
	}
	e.conn, e.fsid = conn, at.FSID
	return e.share(conn), step.Done, nil
}

// Forget closes the connection to a cluster that is gone.
func (p *Pool) Forget(cluster types.NamespacedName) {
	p.mu.Lock()
	e := p.entries[cluster]
	delete(p.entries, cluster)
	p.mu.Unlock()
	if e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.close()
	}
}

func (p *Pool) entry(cluster types.NamespacedName) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = map[types.NamespacedName]*entry{}
	}
	if p.entries[cluster] == nil {
		p.entries[cluster] = &entry{}
	}
	return p.entries[cluster]
}

// key reads the identity of the service for the cluster.
func (p *Pool) key(ctx context.Context, cluster *api.CephCluster) (keyring.Key, step.Outcome, error) {
	name := types.NamespacedName{Namespace: cluster.Namespace, Name: names.ServiceKeyring(p.Service)}
	secret := &corev1.Secret{}
	err := p.Secrets.Get(ctx, name, secret)
	if apierrors.IsNotFound(err) {
		return keyring.Key{}, step.Retry(retryAfter, api.ReasonWaiting, fmt.Sprintf("Waiting for mon-manager: Secret %s is not there yet", name.Name)), nil
	}
	if err != nil {
		return keyring.Key{}, step.None, fmt.Errorf("read Secret %s: %w", name, err)
	}
	keys, err := keyring.Parse(string(secret.Data["keyring"]))
	if err != nil {
		return keyring.Key{}, step.None, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if len(keys) == 0 {
		return keyring.Key{}, step.None, fmt.Errorf("read Secret %s: %w", name, keyring.ErrMalformed)
	}
	return keys[0], step.Done, nil
}

func (e *entry) close() {
	if e.conn != nil {
		e.conn.Close()
		e.conn = nil
	}
}

// drop closes conn unless another one has replaced it already.
func (e *entry) drop(conn ceph.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == conn {
		e.close()
	}
}

// share gives the connection up when it is of no more use: the key was changed
// under it, or nobody answers. The pool owns it, so that closing does nothing.
func (e *entry) share(conn ceph.Conn) ceph.Client {
	return ceph.Client{Conn: ceph.Guard(conn, func(error) { e.drop(conn) })}
}
