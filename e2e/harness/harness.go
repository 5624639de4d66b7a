package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
	"github.com/rook-ceph/rook-ceph/tools/release"
)

// The environment that the make target sets.
const (
	envKubeconfig = "E2E_KUBECONFIG"
	envLocalkube  = "E2E_LOCALKUBE"
	envCluster    = "E2E_CLUSTER"
	envCeph       = "CEPH"
)

// Namespace holds the services and the Ceph cluster of the same name.
const Namespace = "rook-ceph"

// setup is how long the product may take from nothing to a settled cluster.
const setup = 5 * time.Minute

// nodes of the cluster that the make target makes, with a disk each.
const nodes = 3

// interval between two looks at what a story waits for.
const interval = 500 * time.Millisecond

// worth is from which time on the reason of a wait is worth a word.
const worth = 10 * time.Second

// Harness is one cluster with the product on it.
type Harness struct {
	client.Client
	// Clientset is for what the client cannot do: logs.
	Clientset kubernetes.Interface
	// Settings are those of the installation.
	Settings local.Settings
	helm     release.Helm
	charts   string
	config   *rest.Config
}

// New connects to the cluster and makes sure that the product and a settled
// Ceph cluster are on it.
func New(t *testing.T) *Harness {
	t.Helper()
	h := Connect(t)
	h.Install(t)
	h.AwaitSettled(t, setup)
	h.AwaitReadyPods(t, setup)
	return h
}

// Connect connects to the cluster and installs nothing.
func Connect(t *testing.T) *Harness {
	t.Helper()
	kubeconfig := os.Getenv(envKubeconfig)
	if kubeconfig == "" {
		t.Fatalf("%s is not set; run make e2e", envKubeconfig)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 100, 200
	for _, add := range []error{api.AddToScheme(scheme.Scheme), inventory.AddToScheme(scheme.Scheme), objectbucket.AddToScheme(scheme.Scheme)} {
		if add != nil {
			t.Fatal(add)
		}
	}
	log.SetLogger(logr.Discard())
	kube, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	version := os.Getenv(envCeph)
	if version == "" {
		version = "v18.2.7"
	}
	return &Harness{
		Client: kube, Clientset: clientset, config: config, helm: release.Helm{Kubeconfig: kubeconfig}, charts: filepath.Join("..", "..", "charts"),
		Settings: local.Settings{Namespace: Namespace, Registry: "localhost", Tag: "dev", CephTag: version, Nodes: nodes},
	}
}

// Install installs both charts; on a cluster that has them it changes nothing. Stories
// that are told side by side take turns, for Helm works on a release once at a time.
func (h *Harness) Install(t *testing.T) {
	t.Helper()
	turn, err := os.Open(h.helm.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = turn.Close() }() // gives the lock back
	if err := syscall.Flock(int(turn.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("wait for a turn to install: %v", err)
	}
	h.Apply(t, Namespace, "rook-ceph", h.Settings.ServiceValues())
	h.Apply(t, Namespace, "rook-ceph-cluster", h.Settings.ClusterValues())
}

// Apply installs or upgrades a chart as the release of its name.
func (h *Harness) Apply(t *testing.T, namespace, chart string, values map[string]any) {
	t.Helper()
	_, err := h.helm.Apply(t.Context(), release.Release{
		Name: chart, Namespace: namespace, Chart: filepath.Join(h.charts, chart), Values: values})
	if err != nil {
		t.Fatal(err)
	}
}

// Uninstall removes a release.
func (h *Harness) Uninstall(t *testing.T, namespace, name string) {
	t.Helper()
	if err := h.helm.Remove(t.Context(), name, namespace); err != nil {
		t.Fatal(err)
	}
}

// Eventually asks until the answer is yes, and fails the test with the last
// words when the time is over.
func (h *Harness) Eventually(t *testing.T, within time.Duration, what string, check func(context.Context) (bool, string)) {
	t.Helper()
	began, words := time.Now(), ""
	err := wait.PollUntilContextTimeout(t.Context(), interval, within, true, func(context.Context) (bool, error) {
		done, said := check(t.Context()) // the last words are the API server's, not those of the deadline
		if !done {
			words = said
		}
		return done, nil
	})
	if err != nil {
		h.dump(t)
		t.Fatalf("%s: not after %s: %s", what, within, words)
	}
	if took := time.Since(began); took > worth {
		t.Logf("%s: %.1f s, at last for: %s", what, took.Seconds(), words)
	} else {
		t.Logf("%s: %.1f s", what, took.Seconds())
	}
}

// Never asks until the time is over, and fails the test as soon as the answer is
// yes.
func (h *Harness) Never(t *testing.T, during time.Duration, what string, check func(context.Context) (bool, string)) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), interval, during, true, func(ctx context.Context) (bool, error) {
		happened, said := check(ctx)
		if happened {
			return false, errors.New(said)
		}
		return false, nil
	})
	if !wait.Interrupted(err) {
		h.dump(t)
		t.Fatalf("%s: %v", what, err)
	}
}

// Localkube runs a command on the local cluster itself: its disks, its nodes.
func (h *Harness) Localkube(t *testing.T, args ...string) string {
	t.Helper()
	program := os.Getenv(envLocalkube)
	if program == "" {
		t.Fatalf("%s is not set; run make e2e", envLocalkube)
	}
	args = append([]string{args[0], "--name", os.Getenv(envCluster)}, args[1:]...)
	out, err := exec.CommandContext(t.Context(), program, args...).Output()
	if err != nil {
		t.Fatalf("localkube %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// CreateAll creates objects and fails the test when the API server refuses one. A
// test that ends red gives them up, the last made first, so that what it leaves does
// not block the stories after it.
func (h *Harness) CreateAll(t *testing.T, objs ...client.Object) {
	t.Helper()
	for _, obj := range objs {
		if err := h.Create(t.Context(), obj); err != nil {
			t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
		}
		t.Cleanup(func() {
			if !t.Failed() {
				return
			}
			if err := client.IgnoreNotFound(h.Delete(context.Background(), obj)); err != nil {
				t.Logf("delete %T %s after the failure: %v", obj, obj.GetName(), err)
			}
		})
	}
}

// Gone waits until the object is gone.
func (h *Harness) Gone(t *testing.T, within time.Duration, obj client.Object) {
	t.Helper()
	h.Eventually(t, within, fmt.Sprintf("%T %s is gone", obj, obj.GetName()), func(ctx context.Context) (bool, string) {
		err := h.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		return client.IgnoreNotFound(err) == nil && err != nil, "it is still there"
	})
}
