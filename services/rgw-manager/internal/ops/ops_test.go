package ops_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const secretKey = "very-secret"

func store(edit ...func(*api.CephObjectStore)) *api.CephObjectStore {
	s := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-store", UID: "s1"}}
	s.Spec.Gateway.Port = 80
	for _, e := range edit {
		e(s)
	}
	return s
}

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

func adminKeys(access string) *corev1.Secret {
	return secret(names.RGWAdminOps("my-store"), map[string]string{names.AdminOpsAccessKey: access, names.AdminOpsSecretKey: secretKey})
}

// counted counts what is read past the cache.
type counted struct {
	client.Reader
	gets int
}

// Get reads one object.
func (c *counted) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	c.gets++
	return c.Reader.Get(ctx, key, obj, opts...)
}

// pool routes every name to one server.
func pool(t *testing.T, server *httptest.Server, objs ...client.Object) (*ops.Pool, *counted) {
	t.Helper()
	reader := &counted{Reader: testenv.Fake(t, objs...).Build()}
	return &ops.Pool{Reader: reader, Transport: func(config *tls.Config) http.RoundTripper {
		through := &http.Transport{TLSClientConfig: config, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		}}
		t.Cleanup(through.CloseIdleConnections)
		return through
	}}, reader
}

func connect(t *testing.T, p *ops.Pool, s *api.CephObjectStore) *ops.Client {
	t.Helper()
	c, outcome, err := p.Client(t.Context(), s)
	if err != nil || !outcome.IsDone() {
		t.Fatalf("no client: %+v %v", outcome, err)
	}
	return c
}

func TestEndpoint(t *testing.T) {
	external := func(e api.EndpointAddress) func(*api.CephObjectStore) {
		return func(s *api.CephObjectStore) { s.Spec.Gateway.ExternalRGWEndpoints = []api.EndpointAddress{e} }
	}
	for name, tc := range map[string]struct {
		edit func(*api.CephObjectStore)
		want string
	}{
		"is the Service":                             {func(*api.CephObjectStore) {}, "http://rook-ceph-rgw-my-store.rook-ceph.svc:80"},
		"is secure where that is offered":            {func(s *api.CephObjectStore) { s.Spec.Gateway.SecurePort = 443 }, "https://rook-ceph-rgw-my-store.rook-ceph.svc:443"},
		"is the Service of external addresses":       {external(api.EndpointAddress{IP: "192.0.2.1"}), "http://rook-ceph-rgw-my-store.rook-ceph.svc:80"},
		"is an external host":                        {external(api.EndpointAddress{Hostname: "s3.example.com"}), "http://s3.example.com:80"},
		"is an external host in place of an address": {external(api.EndpointAddress{IP: "s3.example.com"}), "http://s3.example.com:80"},
		"is nothing without a port":                  {func(s *api.CephObjectStore) { s.Spec.Gateway.Port = 0 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ops.Endpoint(store(tc.edit)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   error
		code   string
	}{
		"a missing user":              {404, `{"Code":"NoSuchUser","RequestId":"tx1"}`, ops.ErrNotFound, "NoSuchUser"},
		"a key of another user":       {409, `{"Code":"KeyExists"}`, ops.ErrExists, "KeyExists"},
		"a bucket with objects":       {409, `{"Code":"BucketNotEmpty"}`, ops.ErrNotEmpty, "BucketNotEmpty"},
		"keys nobody knows":           {403, `{"Code":"InvalidAccessKeyId"}`, ops.ErrDenied, "InvalidAccessKeyId"},
		"an answer in XML":            {404, `<?xml version="1.0"?><Error><Code>NoSuchBucket</Code></Error>`, ops.ErrNotFound, "NoSuchBucket"},
		"a proxy that has no gateway": {503, `<html>upstream</html>`, ops.ErrUnreachable, "HTTP status 503"},
		"a gateway that broke":        {500, `{"Code":"UnknownError"}`, nil, "UnknownError"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			defer server.Close()
			p, _ := pool(t, server, adminKeys("a"))
			err := connect(t, p, store()).AddKey(t.Context(), "u", "b", secretKey)
			if tc.kind != nil && !errors.Is(err, tc.kind) {
				t.Errorf("got %v, want %v", err, tc.kind)
			}
			if err == nil || ops.Code(err) != tc.code || strings.Contains(err.Error(), secretKey) {
				t.Errorf("got %q (%v)", ops.Code(err), err)
			}
		})
	}
}

func TestErrorsHoldNoKeys(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`["` + r.URL.Query().Get("secret-key")))
	}))
	p, _ := pool(t, server, adminKeys("a"))
	c := connect(t, p, store())
	malformed := c.AddKey(t.Context(), "u", "b", secretKey)
	server.Close()
	silent := c.AddKey(t.Context(), "u", "b", secretKey)
	if !errors.Is(silent, ops.ErrUnreachable) {
		t.Errorf("got %v", silent)
	}
	for _, err := range []error{malformed, silent} {
		if err == nil || strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), "http://") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAClientIsMadeOnceAndAgainWhenItsKeysAreRefused(t *testing.T) {
	var denies bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if denies {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	p, reader := pool(t, server, adminKeys("a"))
	first := connect(t, p, store())
	if err := first.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := connect(t, p, store()); again != first || reader.gets != 1 {
		t.Errorf("another client after %d reads", reader.gets)
	}
	if other := connect(t, p, store(func(s *api.CephObjectStore) { s.UID = "s2" })); other == first {
		t.Error("a store of the same name got the client of the one before")
	}
	denies = true
	last := connect(t, p, store(func(s *api.CephObjectStore) { s.UID = "s2" }))
	if err := last.Ping(t.Context()); !errors.Is(err, ops.ErrDenied) {
		t.Errorf("got %v", err)
	}
	if again := connect(t, p, store(func(s *api.CephObjectStore) { s.UID = "s2" })); again == last {
		t.Error("the refused keys are still used")
	}
}

func TestAStoreWithoutKeysIsWaitedFor(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for name, objs := range map[string][]client.Object{
		"no Secret":    nil,
		"half a key":   {secret(names.RGWAdminOps("my-store"), map[string]string{names.AdminOpsAccessKey: "a"})},
		"wrong Secret": {secret("other", nil)},
	} {
		p, _ := pool(t, server, objs...)
		c, outcome, err := p.Client(t.Context(), store())
		if c != nil || err != nil || outcome.IsDone() || outcome.After == 0 || outcome.Message == "" {
			t.Errorf("%s: %v %+v %v", name, c, outcome, err)
		}
	}
}

func TestWhoShowsTheCertificateOfTheStoreIsTheStore(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	defer server.Close()
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	secure := store(func(s *api.CephObjectStore) {
		s.Spec.Gateway.SecurePort, s.Spec.Gateway.SSLCertificateRef = 443, "cert"
	})
	p, _ := pool(t, server, adminKeys("a"), secret("cert", map[string]string{"cert": certificate}))
	if err := connect(t, p, secure).Ping(t.Context()); err != nil {
		t.Errorf("the store's own certificate, which lacks our name for it: %v", err)
	}
	served := store(func(s *api.CephObjectStore) {
		s.Spec.Gateway.SecurePort = 443
		s.Spec.Gateway.Service = &api.RGWServiceSpec{Annotations: api.Annotations{"service.beta.openshift.io/serving-cert-secret-name": "cert"}}
	})
	p, _ = pool(t, server, adminKeys("a"), secret("cert", map[string]string{"tls.crt": certificate}))
	if err := connect(t, p, served).Ping(t.Context()); err != nil {
		t.Errorf("a certificate that was made for the Service: %v", err)
	}
	p, _ = pool(t, server, adminKeys("a"), secret("cert", map[string]string{"cert": ""}))
	if err := connect(t, p, secure).Ping(t.Context()); !errors.Is(err, ops.ErrUnreachable) {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

func TestErrorsOfS3AreToldApart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`<?xml version="1.0"?><Error><Code>BucketAlreadyExists</Code></Error>`))
	}))
	p, _ := pool(t, server, adminKeys("a"))
	bucket := "b"
	speaker := connect(t, p, store()).As("x", "y")
	_, err := speaker.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
	if !errors.Is(err, ops.ErrExists) || ops.Code(err) != "BucketAlreadyExists" {
		t.Errorf("got %v", err)
	}
	server.Close()
	if _, err = speaker.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); !errors.Is(err, ops.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatIsCutOffIsNone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("<DeleteResult>"))
	}))
	defer server.Close()
	p, _ := pool(t, server, adminKeys("a"))
	_, err := connect(t, p, store()).As("x", "y").DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: ptr.To("photos"),
		Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: ptr.To("a")}}}})
	if !errors.Is(err, ops.ErrCutOff) {
		t.Errorf("got %v", err)
	}
}

func TestQuotasThatAreOffLimitNothing(t *testing.T) {
	on, off, five, zero := true, false, int64(5), int64(0)
	for name, tc := range map[string]struct {
		spec admin.QuotaSpec
		want ops.Quota
	}{
		"off":             {admin.QuotaSpec{Enabled: &off, MaxSize: &five}, ops.NoQuota},
		"on":              {admin.QuotaSpec{Enabled: &on, MaxSize: &five}, ops.Quota{MaxSize: 5, MaxObjects: ops.Unlimited}},
		"zero is a limit": {admin.QuotaSpec{Enabled: &on, MaxObjects: &zero}, ops.Quota{MaxSize: ops.Unlimited}},
	} {
		if got := ops.QuotaOf(tc.spec); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}
