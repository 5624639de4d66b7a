//go:build envtest

package testenv_test

import (
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func TestStartServesKubernetesAndOurKinds(t *testing.T) {
	clientset, err := kubernetes.NewForConfig(testenv.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, groupVersion := range []string{"v1", "apps/v1", "ceph.rook.io/v1", "inventory.ceph.rook.io/v1alpha1"} {
		if _, err := clientset.Discovery().ServerResourcesForGroupVersion(groupVersion); err != nil {
			t.Errorf("server does not serve %s: %v", groupVersion, err)
		}
	}
}

func TestStartGivesAllTestsTheSameServer(t *testing.T) {
	if a, b := testenv.Start(t), testenv.Start(t); a.Host != b.Host {
		t.Errorf("Start gave %s and %s, want one server", a.Host, b.Host)
	}
}
