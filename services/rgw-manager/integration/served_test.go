//go:build librados && integration

package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwtest"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// later is the system's clock, put forward.
type later struct {
	mu sync.Mutex
	by time.Duration
}

func (l *later) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.by)
}

func (l *later) Since(t time.Time) time.Duration { return l.Now().Sub(t) }

func (l *later) forward(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by += by
}

// realGateway starts one of a release, with an administrator of our caps and, beside
// the default placement, another one, cold, with class ICE.
func realGateway(t *testing.T, release string) string {
	t.Helper()
	cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1))
	cluster.RGWPools(real.ZonePools("default")...)
	cold := func(of string) []string {
		return []string{of, "placement", "add", "--rgw-" + of + "=default", "--placement-id=cold"}
	}
	ice, pool := "--storage-class=ICE", "--data-pool=default.rgw.buckets.data"
	for _, args := range [][]string{
		{"user", "create", "--uid=" + names.AdminOpsUser, "--display-name=Admin", "--access-key=" + rgwtest.AdminAccess,
			"--secret-key=" + rgwtest.AdminSecret, "--caps=buckets=*;users=*;usage=read;metadata=read;zone=read"},
		cold("zonegroup"), append(cold("zonegroup"), ice),
		append(cold("zone"), pool, "--index-pool=default.rgw.buckets.index", "--data-extra-pool=default.rgw.buckets.non-ec"),
		append(cold("zone"), ice, pool),
	} {
		if _, err := cluster.RadosgwAdmin(t.Context(), "client.admin", args...); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimPrefix(cluster.AddRGW(real.Gateway{ID: "a"}), "http://")
}

// served is the service with a fake API server, and one store with a real gateway.
type served struct {
	t       *testing.T
	kube    client.WithWatch
	clock   *later
	service *setup.Service
	gates   *ops.Client
	through *http.Transport
	events  *events.FakeRecorder

	mu sync.Mutex
	// changes are what the service has sent to the gateway or to the API server that
	// may have changed something.
	changes []string
	// emptied is told of each batch of objects before it is deleted.
	emptied func()
}

func newServed(t *testing.T, release string) *served {
	t.Helper()
	address := realGateway(t, release)
	s := &served{t: t, clock: &later{}}
	s.through = &http.Transport{MaxIdleConnsPerHost: 32, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	t.Cleanup(s.through.CloseIdleConnections)
	store := &api.CephObjectStore{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "my-store", UID: "s1", Generation: 1},
		Spec:       api.ObjectStoreSpec{Gateway: api.GatewaySpec{Port: 80}, AllowUsersInNamespaces: []string{"app"}},
		Status:     &api.CephObjectStoreStatus{Conditions: []api.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue, Reason: "AsExpected"}}},
	}
	s.kube = testenv.Fake(t, store, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: names.RGWAdminOps("my-store")},
		Data: map[string][]byte{names.AdminOpsAccessKey: []byte(rgwtest.AdminAccess), names.AdminOpsSecretKey: []byte(rgwtest.AdminSecret)}}).
		WithInterceptorFuncs(testenv.Apart(interceptor.Funcs{})).Build()
	own := &ops.Pool{Reader: s.kube, Transport: func(*tls.Config) http.RoundTripper { return s.through }}
	gates, outcome, err := own.Client(t.Context(), store)
	s.check(err)
	if !outcome.IsDone() {
		t.Fatalf("%+v", outcome)
	}
	s.gates = gates
	s.restart()
	return s
}

// restart begins another life of the service.
func (s *served) restart() {
	s.events = events.NewFakeRecorder(10000)
	kube := interceptor.NewClient(s.kube, s.writes())
	s.service = setup.New(setup.Environment{
		Kube: kube, Live: kube, Dialer: librados.Dialer{}, Clock: s.clock, Image: "rook-ceph/rgw-manager:test",
		Events:    func(string) events.EventRecorder { return s.events },
		Transport: func(*tls.Config) http.RoundTripper { return s },
		Claims: &claim.Config{Provisioners: claim.Provisioners("", []string{namespace}), Allowed: bucket.Known(),
			Namespaces: []string{namespace}},
	})
}

// RoundTrip sends a request of the service, and writes down what may have changed
// something.
func (s *served) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet || request.Method == http.MethodHead {
		return s.through.RoundTrip(request)
	}
	if request.URL.Query().Has("delete") {
		s.batch()
	}
	reply, err := s.through.RoundTrip(request)
	if err != nil || reply.StatusCode < http.StatusMultipleChoices {
		s.changed(request.Method + " " + request.URL.Path)
	}
	return reply, err
}

func (s *served) batch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.emptied != nil {
		s.emptied()
	}
}

// writes writes down what changes something at the API server.
func (s *served) writes() interceptor.Funcs {
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			s.changed(fmt.Sprintf("create %T %s", obj, obj.GetName()))
			return c.Create(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			s.changed(fmt.Sprintf("delete %T %s", obj, obj.GetName()))
			return c.Delete(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			s.changed(fmt.Sprintf("update %T %s", obj, obj.GetName()))
			return c.Update(ctx, obj, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			s.changed(fmt.Sprintf("patch %T %s", obj, obj.GetName()))
			return c.Patch(ctx, obj, patch, opts...)
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			s.changed(fmt.Sprintf("apply %T", obj))
			return c.Apply(ctx, obj, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			s.changed(fmt.Sprintf("apply %s of %T", sub, obj))
			return c.SubResource(sub).Apply(ctx, obj, opts...)
		},
	}
}

func (s *served) changed(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, what)
}

// took returns what was changed since the last call.
func (s *served) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.changes
	s.changes = nil
	return all
}

// in makes a test the one that fails, until what it returns is called.
func (s *served) in(t *testing.T) (back func()) {
	outer := s.t
	s.t = t
	return func() { s.t = outer }
}

func (s *served) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// user makes a user as an administrator does.
func (s *served) user(uid string) *s3.Client {
	s.t.Helper()
	made, err := s.gates.CreateUser(s.t.Context(), admin.User{ID: uid, DisplayName: uid, GenerateKey: ptr.To(true)})
	s.check(err)
	return s.gates.As(made.Keys[0].AccessKey, made.Keys[0].SecretKey)
}

// put writes an object. A gateway that refuses it may do so before it has read the object,
// and then the connection can end before its answer is read whole: it is asked again.
func put(ctx context.Context, as *s3.Client, name *string, key string) error {
	const tries = 10
	var err error
	for range tries {
		_, err = as.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: &key, Body: strings.NewReader("text")})
		if !errors.Is(err, net.ErrClosed) {
			break
		}
	}
	return err
}

func fetch(ctx context.Context, as *s3.Client, name *string, key string) error {
	got, err := as.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: &key})
	if err == nil {
		err = got.Body.Close()
	}
	return err
}

// throughClient sends requests to the gateway, whatever host they are for.
func (s *served) throughClient() *http.Client { return &http.Client{Transport: s.through} }
