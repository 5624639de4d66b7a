package report

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// TestEveryKindThatNeedsTheClusterHoldsItBack makes one object of each kind; a
// kind of another namespace holds nothing back.
func TestEveryKindThatNeedsTheClusterHoldsItBack(t *testing.T) {
	scheme := runtime.NewScheme()
	build := fake.NewClientBuilder().WithScheme(scheme)
	var want []string
	for _, kind := range dependents() {
		gvk := api.SchemeGroupVersion.WithKind(kind)
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(api.SchemeGroupVersion.WithKind(kind+"List"), &unstructured.UnstructuredList{})
		for _, namespace := range []string{"rook-ceph", "elsewhere"} {
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(gvk)
			object.SetNamespace(namespace)
			object.SetName("one")
			build.WithObjects(object)
		}
		want = append(want, kind+" one")
	}
	slices.Sort(want)
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"}}
	got, err := observeDependents(t.Context(), build.Build(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
	for _, kind := range []string{
		"CephObjectStoreAccount", "CephObjectRealm", "CephObjectZoneGroup", "CephObjectZone", "CephBucketTopic", "CephBucketNotification",
		"CephNVMeOFGateway", "CephCOSIDriver",
	} {
		if !slices.Contains(got, kind+" one") {
			t.Errorf("%s does not hold the cluster back", kind)
		}
	}
}

// TestEveryKindThatIsLookedForMayBeListed compares with the generated rights: a
// kind that may not be listed would block every deletion with an error.
func TestEveryKindThatIsLookedForMayBeListed(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "charts", "mon-manager", "rbac", "namespaced.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	if err := yaml.Unmarshal(body, &rules); err != nil {
		t.Fatal(err)
	}
	for resource := range dependents() {
		listed := slices.ContainsFunc(rules, func(rule rbacv1.PolicyRule) bool {
			return slices.Contains(rule.Resources, resource) && slices.Contains(rule.Verbs, "list")
		})
		if !listed {
			t.Errorf("%s may not be listed", resource)
		}
	}
}
