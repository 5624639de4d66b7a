package rgwtest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/ceph/go-ceph/rgw/admin"

	"github.com/rook-ceph/rook-ceph/shared/names"
)

// The keys of the administrator that every gateway knows.
const (
	AdminAccess = "ADMINACCESS"
	AdminSecret = "adminsecret"
)

// Gateway is a stateful fake of a radosgw. It is safe for concurrent use.
type Gateway struct {
	t      testing.TB
	server *httptest.Server
	lacks  []string
	// placements are the classes of each.
	placements map[string][]string

	mu       sync.Mutex
	users    map[string]*user
	buckets  map[string]*bucket
	faults   []*fault
	requests []string
	down     bool
	draws    int
}

// Option changes what a gateway is.
type Option func(*Gateway)

// Lacks makes a gateway of a release that does not know some capabilities, or the
// option default-storage-class.
func Lacks(kinds ...string) Option { return func(g *Gateway) { g.lacks = kinds } }

// New starts a gateway that ends with the test. It has an administrator with the
// capabilities that our own has, and beside the default placement another one, cold,
// with class ICE.
func New(t testing.TB, options ...Option) *Gateway {
	t.Helper()
	g := &Gateway{t: t, users: map[string]*user{}, buckets: map[string]*bucket{},
		placements: map[string][]string{"default-placement": {"STANDARD"}, "cold": {"STANDARD", "ICE"}}}
	for _, option := range options {
		option(g)
	}
	g.AddUser(admin.User{ID: names.AdminOpsUser, DisplayName: "Admin", Keys: []admin.UserKeySpec{{AccessKey: AdminAccess, SecretKey: AdminSecret}},
		Caps: []admin.UserCapSpec{{Type: "buckets", Perm: "*"}, {Type: "metadata", Perm: "read"}, {Type: "usage", Perm: "read"},
			{Type: "users", Perm: "*"}, {Type: "zone", Perm: "read"}}})
	g.server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.server.Close)
	return g
}

// Address is where the gateway listens.
func (g *Gateway) Address() string { return g.server.Listener.Addr().String() }

// Transport sends requests to the gateway, whatever host they are for. It fits
// ops.Pool.
func (g *Gateway) Transport(config *tls.Config) http.RoundTripper {
	through := &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, g.Address())
		}}
	g.t.Cleanup(through.CloseIdleConnections)
	return through
}

// Requests are the kinds of requests since the last call, such as "PUT admin user
// key", in their order. Those that a fault swallowed are among them.
func (g *Gateway) Requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.requests
	g.requests = nil
	return all
}

// User returns what is known of a user.
func (g *Gateway) User(uid string) (admin.User, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := g.users[uid]
	if found == nil {
		return admin.User{}, false
	}
	return found.report(), true
}

// Users names all users but the administrator, sorted.
func (g *Gateway) Users() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	for uid := range g.users {
		if uid != names.AdminOpsUser {
			all = append(all, uid)
		}
	}
	sort.Strings(all)
	return all
}

// AddUser makes a user as somebody else made it.
func (g *Gateway) AddUser(is admin.User) {
	g.mu.Lock()
	defer g.mu.Unlock()
	made := newUser(is.ID, is.DisplayName)
	made.keys, made.caps = slices.Clone(is.Keys), slices.Clone(is.Caps)
	if is.MaxBuckets != nil {
		made.maxBuckets = *is.MaxBuckets
	}
	if is.OpMask != "" {
		made.mask = maskOf(is.OpMask)
	}
	made.quota = limitOf(is.UserQuota)
	g.users[is.ID] = made
}

// AddBucket makes a bucket of a user.
func (g *Gateway) AddBucket(name, owner string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.buckets[name] = g.newBucket(name, owner)
}

// RemoveBucket removes a bucket with all that it holds.
func (g *Gateway) RemoveBucket(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.buckets, name)
}

// serve checks who asks, and has the request answered.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kind := Kind(r)
	g.requests = append(g.requests, kind)
	if g.down {
		hangUp(w)
		return
	}
	fault := g.takeFault(kind)
	if fault != nil && !fault.acts {
		fault.answer(w)
		return
	}
	answer := g.answer(r)
	if fault != nil {
		fault.answer(w)
		return
	}
	answer.write(w, strings.HasPrefix(r.URL.Path, "/admin/"))
}

func (g *Gateway) answer(r *http.Request) reply {
	who, refused := g.authenticate(r)
	if refused != nil {
		return *refused
	}
	if strings.HasPrefix(r.URL.Path, "/admin/") {
		return g.administer(who, r)
	}
	return g.s3(who, r)
}

// unknown fails the test: the fake would have to guess.
func (g *Gateway) unknown(r *http.Request) reply {
	g.t.Errorf("the fake gateway does not know %s %s", r.Method, r.URL.Path+" "+strings.Join(queryNames(r), ","))
	return refuse(http.StatusNotImplemented, "NotImplemented")
}

func queryNames(r *http.Request) []string {
	var all []string
	for name := range r.URL.Query() {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// draw makes up a key.
func (g *Gateway) draw() admin.UserKeySpec {
	g.draws++
	return admin.UserKeySpec{AccessKey: fmt.Sprintf("DRAWN%d", g.draws), SecretKey: fmt.Sprintf("drawn%d", g.draws)}
}
