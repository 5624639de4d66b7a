package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	bucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
)

// shared is the one API server of this test binary. It is the only state of the
// package: Go offers no other place for what all tests of a binary share.
var shared struct {
	sync.Mutex
	server *server
	err    error
}

// Main runs the tests of a binary and stops the API server that they may have
// started. Use it as
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
// Without it the server is killed with the binary, and its directory is removed
// by the next binary that starts one.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.stop(); err != nil {
		_, _ = io.WriteString(os.Stderr, "testenv: "+err.Error()+"\n")
		return max(code, 1)
	}
	return code
}

// Start gives the connection to the API server of this test binary, which the
// first call starts. The identity is a cluster administrator; a test of access
// rights copies the configuration and sets Impersonate. The test fails if there
// is no server to be had.
func Start(t testing.TB) *rest.Config {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = startInstalled(context.Background())
	}
	if shared.err != nil {
		t.Fatalf("start API server: %v", shared.err)
	}
	return rest.CopyConfig(shared.server.config)
}

// startInstalled starts a server and installs the CustomResourceDefinitions.
func startInstalled(ctx context.Context) (*server, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	if err := installCRDs(ctx, s.config); err != nil {
		if stopErr := s.stop(); stopErr != nil {
			return nil, fmt.Errorf("%w; and %w", err, stopErr)
		}
		return nil, err
	}
	return s, nil
}

// Scheme gives a scheme with Kubernetes' own kinds and ours.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, api.AddToScheme, inventory.AddToScheme, bucket.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err) // only a broken type can do this
		}
	}
	return scheme
}

// Client gives an uncached client of the API server, with Scheme.
func Client(t testing.TB) client.Client {
	t.Helper()
	c, err := client.New(Start(t), client.Options{Scheme: Scheme()})
	if err != nil {
		t.Fatalf("make client: %v", err)
	}
	return c
}

// Namespace creates a namespace for one test and gives its name. What a test
// creates in it goes with the server.
func Namespace(t testing.TB, c client.Client) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.Create(t.Context(), ns); err != nil {
		t.Fatalf("create namespace: %v", err)
	}
	return ns.Name
}
