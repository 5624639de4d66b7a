//go:build envtest

package crdtest

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// subject is a kind whose spec or status rules are about.
type subject struct {
	apiVersion, kind string
	// spec is what an object has when the rules are about its status.
	spec  string
	rules []rule
	// prefix begins the names of objects.
	prefix string
}

func subjects() []subject {
	return []subject{
		{"ceph.rook.io/v1", "CephCluster", "", slices.Concat(clusterRules(), monRules(), networkRules(), storageRules()), "x-"},
		{"ceph.rook.io/v1", "CephBlockPool", "", poolRules(), "x-"},
		{"ceph.rook.io/v1", "CephFilesystem", "", filesystemRules(), "x-"},
		{"ceph.rook.io/v1", "CephFilesystemSubVolumeGroup", "", groupRules(), "x-"},
		{"ceph.rook.io/v1", "CephObjectStore", "", slices.Concat(storeRules(), gatewayRules()), "x-"},
		{"ceph.rook.io/v1", "CephObjectStoreUser", "", userRules(), "x-"},
		{"ceph.rook.io/v1", "CephObjectRealm", "", realmRules(), "x-"},
		{"ceph.rook.io/v1", "CephObjectZoneGroup", "", zoneGroupRules(), "x-"},
		{"ceph.rook.io/v1", "CephObjectZone", "", zoneRules(), "x-"},
		{"inventory.ceph.rook.io/v1alpha1", "CephOSD", "", osdRules(), "x-"},
		{"ceph.rook.io/v1", "CephCluster", `mon: {count: 3}`, statusRules(), "x-"},
	}
}

func TestBadInputIsRefusedWithTheFieldAndTheFix(t *testing.T) {
	c := testenv.Client(t)
	for _, s := range subjects() {
		namespace := testenv.Namespace(t, c)
		for _, r := range s.rules {
			t.Run(s.kind+"/"+r.name, func(t *testing.T) {
				if err := s.submit(t, c, namespace, r.before, r.good); err != nil {
					t.Errorf("the good one is refused: %v", err)
				}
				bad := s
				if r.badName != "" {
					bad.prefix = r.badName
				}
				r.check(t, bad.submit(t, c, namespace, r.before, r.bad))
			})
		}
	}
}

// submit asks the API server to accept a text, as a change of before if that is
// given. Nothing is left behind.
func (s subject) submit(t *testing.T, c client.Client, namespace, before, text string) error {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(s.apiVersion)
	object.SetKind(s.kind)
	object.SetNamespace(namespace)
	object.SetGenerateName(s.prefix)
	if s.spec != "" {
		return s.submitStatus(t, c, object, before, text)
	}
	if before == "" {
		object.Object["spec"] = parse(t, text)
		return c.Create(t.Context(), object, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
	}
	object.Object["spec"] = parse(t, before)
	if err := c.Create(t.Context(), object); err != nil {
		t.Fatalf("create what is changed: %v", err)
	}
	object.Object["spec"] = parse(t, text)
	return c.Update(t.Context(), object, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
}

func (s subject) submitStatus(t *testing.T, c client.Client, object *unstructured.Unstructured, before, text string) error {
	t.Helper()
	object.Object["spec"] = parse(t, s.spec)
	if err := c.Create(t.Context(), object); err != nil {
		t.Fatalf("create the object: %v", err)
	}
	if before != "" {
		object.Object["status"] = parse(t, before)
		if err := c.Status().Update(t.Context(), object); err != nil {
			t.Fatalf("set what is changed: %v", err)
		}
	}
	object.Object["status"] = parse(t, text)
	return c.Status().Update(t.Context(), object, client.DryRunAll)
}

// check wants the refusal to name the field and to say what to do.
func (r rule) check(t *testing.T, err error) {
	t.Helper()
	var refusal *apierrors.StatusError
	if !errors.As(err, &refusal) || !apierrors.IsInvalid(err) {
		t.Fatalf("the bad one gives %v, want a refusal", err)
	}
	var fields []string
	for _, cause := range refusal.Status().Details.Causes {
		fields = append(fields, cause.Field)
		if cause.Field == r.field && strings.Contains(cause.Message, r.says) {
			return
		}
	}
	t.Errorf("the refusal names %v and reads\n%v\nwant %s and %q", fields, err, r.field, r.says)
}

// TestEveryExpressionHasAGoodAndABadObject finds the rules in the definitions
// whose message no case above expects.
func TestEveryExpressionHasAGoodAndABadObject(t *testing.T) {
	var expected []rule
	for _, s := range subjects() {
		expected = append(expected, s.rules...)
	}
	for kind, crd := range definitions(t) {
		walk("", schema(t, crd), func(path string, node map[string]any) {
			expressions, _ := node["x-kubernetes-validations"].([]any)
			for _, item := range expressions {
				message, _ := item.(map[string]any)["message"].(string)
				tested := slices.ContainsFunc(expected, func(r rule) bool { return strings.Contains(message, r.says) })
				if !tested {
					t.Errorf("no case for %s%s: %s", kind, path, message)
				}
			}
		})
	}
}

// TestEveryExpressionSaysTheFieldAndTheFix holds messages to one form.
func TestEveryExpressionSaysTheFieldAndTheFix(t *testing.T) {
	for kind, crd := range definitions(t) {
		walk("", schema(t, crd), func(path string, node map[string]any) {
			expressions, _ := node["x-kubernetes-validations"].([]any)
			for _, item := range expressions {
				message, _ := item.(map[string]any)["message"].(string)
				if !strings.Contains(message, "`") || strings.Contains(message, "should") || len(message) < 40 {
					t.Errorf("message of %s%s names no field or no fix: %q", kind, path, message)
				}
			}
		})
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return object
}
