package ops

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// secretRetry is how soon to look again for a Secret that is not watched.
const secretRetry = connectRetry

// Pool holds one client per store. Keys and certificates are read when a client is
// made, and again after a gateway did not know the keys or did not answer, so that
// a settled store costs no request at all. Its zero value is not usable: Reader must
// be set. It is safe for concurrent use.
type Pool struct {
	// Reader reads Secrets past the cache.
	Reader client.Reader
	// Transport makes what requests are sent through; nil is our own. Tests route
	// host names to a server of theirs.
	Transport func(*tls.Config) http.RoundTripper
	// Clock times and signs requests; nil is the system's.
	Clock clock.PassiveClock

	mu      sync.Mutex
	entries map[types.NamespacedName]*entry
}

// entry is the client of one store.
type entry struct {
	mu     sync.Mutex
	client *Client
	// made is from what the client was made.
	made origin
}

// origin is what a client has to be made anew for.
type origin struct {
	uid                           types.UID
	endpoint, certificate, bundle string
}

// Client returns a client of the store, or the outcome that says what is missing
// for one. It sends no request to a gateway.
func (p *Pool) Client(ctx context.Context, store *api.CephObjectStore) (*Client, step.Outcome, error) {
	from := origin{store.UID, Endpoint(store), store.CertificateRef(), store.Spec.Gateway.CABundleRef}
	if from.endpoint == "" {
		return nil, step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for CephObjectStore '%s' to have a port", store.Name)), nil
	}
	e := p.entry(client.ObjectKeyFromObject(store))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil && e.made == from {
		return e.client, step.Done, nil
	}
	e.close()
	made, outcome, err := p.make(ctx, store, from.endpoint)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	made.failed = func(err error) {
		if lost(err) {
			e.drop(made)
		}
	}
	e.client, e.made = made, from
	return made, step.Done, nil
}

// Forget closes the connections to a store that is gone.
func (p *Pool) Forget(store types.NamespacedName) {
	p.mu.Lock()
	e := p.entries[store]
	delete(p.entries, store)
	p.mu.Unlock()
	if e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.close()
	}
}

func (p *Pool) entry(store types.NamespacedName) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = map[types.NamespacedName]*entry{}
	}
	if p.entries[store] == nil {
		p.entries[store] = &entry{}
	}
	return p.entries[store]
}

// make reads the keys and certificates of a store.
func (p *Pool) make(ctx context.Context, store *api.CephObjectStore, endpoint string) (*Client, step.Outcome, error) {
	name := names.RGWAdminOps(store.Name)
	if store.Spec.Gateway.External() {
		name = names.ExternalAdminOps
	}
	keys, outcome, err := p.secret(ctx, store.Namespace, name)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	access, secret := string(keys.Data[names.AdminOpsAccessKey]), string(keys.Data[names.AdminOpsSecretKey])
	if access == "" || secret == "" {
		return nil, step.Retry(secretRetry, api.ReasonSecretInvalid, fmt.Sprintf("Secret '%s' lacks %s or %s",
			name, names.AdminOpsAccessKey, names.AdminOpsSecretKey)), nil
	}
	trusted, outcome, err := p.trust(ctx, store)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	made := &Client{endpoint: endpoint, http: p.http(trusted), clock: p.time()}
	made.api, err = admin.New(endpoint, access, secret, admins{http: made.http, failed: func(err error) { made.failed(err) }})
	if err != nil {
		return nil, step.None, fmt.Errorf("make client of %s: %w", store.Name, err)
	}
	return made, step.Done, nil
}

// http makes what all requests to one store go through.
func (p *Pool) http(trusted trust) *http.Client {
	through := transport
	if p.Transport != nil {
		through = p.Transport
	}
	return &http.Client{Timeout: deadline, Transport: meter{next: through(trusted.config()), clock: p.time()}}
}

// time is the clock of the pool, or the system's.
func (p *Pool) time() clock.PassiveClock {
	if p.Clock != nil {
		return p.Clock
	}
	return clock.RealClock{}
}

// trust reads the certificates of a store that listens on TLS.
func (p *Pool) trust(ctx context.Context, store *api.CephObjectStore) (trust, step.Outcome, error) {
	gateway := &store.Spec.Gateway
	if gateway.SecurePort == 0 {
		return trust{}, step.Done, nil
	}
	var own, bundle []byte
	for name, take := range map[string]func(map[string][]byte){
		store.CertificateRef(): func(data map[string][]byte) {
			for _, key := range []string{"cert", corev1.TLSCertKey, "ca.crt"} {
				own = append(append(own, data[key]...), '\n')
			}
		},
		gateway.CABundleRef: func(data map[string][]byte) { bundle = data["cabundle"] },
	} {
		if name == "" {
			continue
		}
		secret, outcome, err := p.secret(ctx, store.Namespace, name)
		if err != nil || !outcome.IsDone() {
			return trust{}, outcome, err
		}
		take(secret.Data)
	}
	trusted, err := trusting(own, bundle)
	if err != nil {
		return trust{}, step.Retry(secretRetry, api.ReasonSecretInvalid, fmt.Sprintf("Secret '%s' holds no certificate", store.CertificateRef())), nil //nolint:nilerr // the outcome says what is wrong with the Secret
	}
	return trusted, step.Done, nil
}

func (p *Pool) secret(ctx context.Context, namespace, name string) (*corev1.Secret, step.Outcome, error) {
	secret := &corev1.Secret{}
	err := p.Reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, step.Retry(secretRetry, api.ReasonSecretMissing, fmt.Sprintf("Waiting for Secret '%s', which does not exist", name)), nil
	}
	if err != nil {
		return nil, step.None, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return secret, step.Done, nil
}

func (e *entry) close() {
	if e.client != nil {
		e.client.http.CloseIdleConnections()
		e.client = nil
	}
}

// drop closes the client unless another one has replaced it already.
func (e *entry) drop(old *Client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == old {
		e.close()
	}
}
