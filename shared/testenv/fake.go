package testenv

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	clientgoapply "k8s.io/client-go/applyconfigurations"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	bucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
)

// Fake returns the builder of a client without a server that merges applied
// objects as a server with our CustomResourceDefinitions would: lists by their
// keys. A fake that is not told so takes every list of our kinds for atomic, and
// lets two field managers erase each other's conditions. It does not validate.
// A test that intercepts calls itself wraps its functions with Apart.
//
// Of Kubernetes' own kinds it knows those that our services work with: the fake goes
// through all that it knows at each apply.
func Fake(t testing.TB, objs ...client.Object) *fake.ClientBuilder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, policyv1.AddToScheme, storagev1.AddToScheme,
		coordinationv1.AddToScheme, discoveryv1.AddToScheme, rbacv1.AddToScheme,
		api.AddToScheme, inventory.AddToScheme, bucket.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatalf("make scheme: %v", err)
		}
	}
	own, err := ownKinds()
	if err != nil {
		t.Fatalf("read schemas: %v", err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithReturnManagedFields().WithObjects(objs...).
		WithStatusSubresource(&api.CephCluster{}, &api.CephBlockPool{}, &api.CephFilesystem{},
			&api.CephFilesystemSubVolumeGroup{}, &api.CephObjectStore{}, &api.CephObjectStoreUser{},
			&api.CephObjectRealm{}, &api.CephObjectZoneGroup{}, &api.CephObjectZone{},
			&inventory.CephDisk{}, &inventory.CephOSD{}, &bucket.ObjectBucketClaim{}, &bucket.ObjectBucket{}).
		WithInterceptorFuncs(Apart(interceptor.Funcs{})).
		WithTypeConverters(own, clientgoapply.NewTypeConverter(clientgoscheme.Scheme), managedfields.NewDeducedTypeConverter())
}

// ownKinds makes the converter once for all tests of a binary; it never changes.
var ownKinds = sync.OnceValues(typeConverter)

// typeConverter knows the merge rules of our kinds from their definitions.
func typeConverter() (managedfields.TypeConverter, error) {
	all, err := CRDs()
	if err != nil {
		return nil, err
	}
	schemas := map[string]*spec.Schema{}
	for name, crd := range all {
		if err := addSchemas(schemas, crd); err != nil {
			return nil, fmt.Errorf("read schema of %s: %w", name, err)
		}
	}
	return managedfields.NewTypeConverter(schemas, false)
}

func addSchemas(into map[string]*spec.Schema, crd *unstructured.Unstructured) error {
	group, _, err := unstructured.NestedString(crd.Object, "spec", "group")
	if err != nil {
		return err
	}
	kind, _, err := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	if err != nil {
		return err
	}
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		return err
	}
	for _, item := range versions {
		version, _ := item.(map[string]any)
		schema, _, err := unstructured.NestedMap(version, "schema", "openAPIV3Schema")
		if err != nil {
			return err
		}
		properties, _ := schema["properties"].(map[string]any)
		if properties == nil {
			return fmt.Errorf("version %v has no properties", version["name"])
		}
		properties["metadata"] = objectMeta()
		schema["x-kubernetes-group-version-kind"] = []any{map[string]any{"group": group, "version": version["name"], "kind": kind}}
		body, err := json.Marshal(schema)
		if err != nil {
			return err
		}
		parsed := &spec.Schema{}
		if err := json.Unmarshal(body, parsed); err != nil {
			return err
		}
		into[fmt.Sprintf("%s.%v.%s", group, version["name"], kind)] = parsed
	}
	return nil
}

// objectMeta has the merge rules of metadata, which definitions leave out.
func objectMeta() map[string]any {
	text := map[string]any{"type": "string"}
	texts := map[string]any{"type": "object", "additionalProperties": text}
	return map[string]any{"type": "object", "properties": map[string]any{
		"name": text, "namespace": text, "generateName": text, "uid": text, "resourceVersion": text,
		"creationTimestamp": text, "deletionTimestamp": text,
		"deletionGracePeriodSeconds": map[string]any{"type": "integer"},
		"generation":                 map[string]any{"type": "integer"},
		"labels":                     texts,
		"annotations":                texts,
		"finalizers":                 map[string]any{"type": "array", "items": text, "x-kubernetes-list-type": "set"},
		"managedFields":              map[string]any{"type": "array", "items": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}, "x-kubernetes-list-type": "atomic"},
		"ownerReferences": map[string]any{"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": []any{"uid"},
			"items": map[string]any{"type": "object", "properties": map[string]any{
				"apiVersion": text, "kind": text, "name": text, "uid": text,
				"controller": map[string]any{"type": "boolean"}, "blockOwnerDeletion": map[string]any{"type": "boolean"}}}},
	}}
}
