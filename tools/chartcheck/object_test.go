package chartcheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// stores renders the cluster chart with one object store, and more fields of it.
func stores(t *testing.T, more map[string]any) ([]unstructured.Unstructured, error) {
	t.Helper()
	store := map[string]any{"name": "s3", "spec": map[string]any{"gateway": map[string]any{"port": 80, "securePort": 443}}}
	for name, value := range more {
		store[name] = value
	}
	objects, _, err := render(t, "rook-ceph-cluster", map[string]any{"cephObjectStores": []any{store}})
	return objects, err
}

func TestAnObjectStoreComesWithItsClass(t *testing.T) {
	objects, err := stores(t, map[string]any{"storageClass": map[string]any{
		"enabled": true, "name": "bucket", "reclaimPolicy": "Retain", "parameters": map[string]any{"region": "{{ .Release.Name }}"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := ofKind(objects, "CephObjectStore"); len(got) != 1 || got[0].GetName() != "s3" || got[0].GetNamespace() != "rook-ceph" {
		t.Errorf("got %v, want one store", got)
	}
	for _, object := range ofKind(objects, "StorageClass") {
		class := as[storagev1.StorageClass](t, object)
		if class.Name != "bucket" {
			continue
		}
		if class.Provisioner != "rook-ceph.ceph.rook.io/bucket" || *class.ReclaimPolicy != "Retain" {
			t.Errorf("got provisioner %s and policy %s", class.Provisioner, *class.ReclaimPolicy)
		}
		want := map[string]string{"objectStoreName": "s3", "objectStoreNamespace": "rook-ceph", "region": "rook-ceph-cluster"}
		if diff := cmp.Diff(want, class.Parameters); diff != "" {
			t.Errorf("parameters (-want +got):\n%s", diff)
		}
		return
	}
	t.Error("the chart has no StorageClass bucket")
}

func TestAnObjectStoreIsReachedFromOutside(t *testing.T) {
	host := map[string]any{"name": "s3.example.com"}
	objects, err := stores(t, map[string]any{
		"ingress": map[string]any{"enabled": true, "host": host, "ingressClassName": "nginx", "annotations": map[string]any{"a": "b"}},
		"route":   map[string]any{"enabled": true, "host": host, "port": 80, "parentRefs": []any{map[string]any{"name": "gateway"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{
		"Ingress":   "{ingressClassName: nginx, rules: [{host: s3.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: rook-ceph-rgw-s3, port: {number: 443}}}}]}}]}",
		"HTTPRoute": "{parentRefs: [{name: gateway}], hostnames: [s3.example.com], rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: rook-ceph-rgw-s3, port: 80}]}]}",
	} {
		found := ofKind(objects, kind)
		if len(found) != 1 {
			t.Fatalf("got %d of %s, want 1", len(found), kind)
		}
		if diff := cmp.Diff(parsed(t, want), found[0].Object["spec"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestAWayWithoutAHostIsRefused(t *testing.T) {
	for _, way := range []string{"ingress", "route"} {
		_, err := stores(t, map[string]any{way: map[string]any{"enabled": true, "parentRefs": []any{map[string]any{"name": "g"}}}})
		if err == nil || !strings.Contains(err.Error(), "needs host.name") && !strings.Contains(err.Error(), "parentRefs") {
			t.Errorf("%s: got %v, want an error that names what is missing", way, err)
		}
	}
	if _, err := stores(t, map[string]any{"storageclass": map[string]any{}}); err == nil {
		t.Error("a misspelt value of a store is accepted")
	}
}

func TestUsersOfObjectStoresAreMade(t *testing.T) {
	objects := mustRender(t, "rook-ceph-cluster", map[string]any{"cephObjectStoreUsers": []any{
		map[string]any{"name": "a", "spec": map[string]any{"store": "s3"}},
		map[string]any{"name": "b", "namespace": "shop", "spec": map[string]any{"store": "s3", "clusterNamespace": "rook-ceph"}},
	}})
	got := map[string]string{}
	for _, user := range ofKind(objects, "CephObjectStoreUser") {
		got[user.GetName()] = user.GetNamespace()
	}
	if diff := cmp.Diff(map[string]string{"a": "rook-ceph", "b": "shop"}, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	object := unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte("spec: "+text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object.Object["spec"]
}

func TestDefinitionsOfOthersCanBeLeftOut(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		count := 0
		for _, definition := range ofKind(mustRender(t, "rook-ceph", map[string]any{"crds": map[string]any{"objectBuckets": wanted}}), "CustomResourceDefinition") {
			if strings.HasSuffix(definition.GetName(), ".objectbucket.io") {
				count++
			}
		}
		if (count == 2) != wanted || (count == 0) == wanted {
			t.Errorf("objectBuckets %t: got %d definitions of objectbucket.io", wanted, count)
		}
	}
}
