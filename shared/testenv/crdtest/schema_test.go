package crdtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-ceph/rook-ceph/crds"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// maxCRDSize keeps a definition well below what kubectl puts into one annotation.
const maxCRDSize = 200_000

// definitions gives the CRDs by kind.
func definitions(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	files, err := testenv.CRDs()
	if err != nil {
		t.Fatal(err)
	}
	byKind := map[string]*unstructured.Unstructured{}
	for _, crd := range files {
		byKind[text(t, crd.Object, "spec", "names", "kind")] = crd
	}
	return byKind
}

// version gives the only version of a CRD.
func version(t *testing.T, crd *unstructured.Unstructured) map[string]any {
	t.Helper()
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil || len(versions) != 1 {
		t.Fatalf("%s has %d versions (%v), want one", crd.GetName(), len(versions), err)
	}
	return versions[0].(map[string]any)
}

// schema gives the schema of the objects of a CRD.
func schema(t *testing.T, crd *unstructured.Unstructured) map[string]any {
	t.Helper()
	found, ok, err := unstructured.NestedMap(version(t, crd), "schema", "openAPIV3Schema")
	if err != nil || !ok {
		t.Fatalf("%s has no schema (%v)", crd.GetName(), err)
	}
	return found
}

func text(t *testing.T, object map[string]any, fields ...string) string {
	t.Helper()
	found, _, err := unstructured.NestedString(object, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// find follows a path such as spec.nodes[].config{} through a schema: [] enters
// a list and {} a map.
func find(node map[string]any, path string) error {
	path = strings.ReplaceAll(strings.ReplaceAll(path, "[]", ".[]"), "{}", ".{}")
	for _, step := range strings.Split(path, ".") {
		var next any
		switch step {
		case "[]":
			next = node["items"]
		case "{}":
			next = node["additionalProperties"]
		default:
			properties, _ := node["properties"].(map[string]any)
			next = properties[step]
		}
		child, ok := next.(map[string]any)
		if !ok {
			return fmt.Errorf("no %q on the way", step)
		}
		node = child
	}
	return nil
}

func TestEveryFieldOfTheContractIsInTheSchema(t *testing.T) {
	all := definitions(t)
	files, err := filepath.Glob(filepath.Join("testdata", "contract", "*.txt"))
	if err != nil || len(files) < 11 {
		t.Fatalf("found the contract of %d kinds (%v), want 11", len(files), err)
	}
	for _, file := range files {
		kind := strings.TrimSuffix(filepath.Base(file), ".txt")
		list, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		root := schema(t, all[kind])
		for _, path := range strings.Fields(string(list)) {
			if err := find(root, path); err != nil {
				t.Errorf("%s has no %s: %v", kind, path, err)
			}
		}
	}
}

func TestColumnsAreThoseThatScriptsParse(t *testing.T) {
	// A trailing + marks a column of `-o wide`.
	want := map[string]string{
		"CephCluster":                  "DataDirHostPath MonCount Age Phase Message Health External FSID OSDs+ Version+ Reason+",
		"CephBlockPool":                "Phase Type FailureDomain Replication+ EC-CodingChunks+ EC-DataChunks+ Age Reason+",
		"CephFilesystem":               "ActiveMDS Age Phase Reason+",
		"CephFilesystemSubVolumeGroup": "Phase Filesystem Quota Pinning+ Age Reason+",
		"CephObjectStore":              "Phase Endpoint SecureEndpoint Age Reason+",
		"CephObjectStoreUser":          "Phase Age Store+ Reason+",
		"CephObjectRealm":              "Phase Age Reason+",
		"CephObjectZoneGroup":          "Phase Age Realm+ Reason+",
		"CephObjectZone":               "Phase Age ZoneGroup+ Sync+ Reason+",
		"ObjectBucketClaim":            "Storage-Class Phase Age Reason+",
		"ObjectBucket":                 "Storage-Class Claim-Namespace Claim-Name Reclaim-Policy Phase Age",
		"CephDisk":                     "Node Device Size Type State Reason OSD Message+ Cluster+ Model+ Age+",
		"CephOSD":                      "ID Node Disk Class State Up Version Size Used Age Cluster+ CephDisk+ Message+",
	}
	for kind, crd := range definitions(t) {
		columns, _, err := unstructured.NestedSlice(version(t, crd), "additionalPrinterColumns")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, item := range columns {
			column := item.(map[string]any)
			name := column["name"].(string)
			if column["priority"] != nil {
				name += "+"
			}
			names = append(names, name)
		}
		if diff := cmp.Diff(want[kind], strings.Join(names, " ")); diff != "" {
			t.Errorf("columns of %s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestColumnsOfTheContractReadTheContractsPaths(t *testing.T) {
	want := map[string][]string{
		"CephCluster": {
			".spec.dataDirHostPath", ".spec.mon.count", ".metadata.creationTimestamp", ".status.phase",
			".status.message", ".status.ceph.health", ".spec.external.enable", ".status.ceph.fsid",
		},
		"CephBlockPool": {
			".status.phase", ".status.info.type", ".status.info.failureDomain", ".spec.replicated.size",
			".spec.erasureCoded.codingChunks", ".spec.erasureCoded.dataChunks", ".metadata.creationTimestamp",
		},
		"CephFilesystem": {".spec.metadataServer.activeCount", ".metadata.creationTimestamp", ".status.phase"},
		"CephFilesystemSubVolumeGroup": {
			".status.phase", ".spec.filesystemName", ".spec.quota", ".status.info.pinning", ".metadata.creationTimestamp",
		},
		"CephObjectStore": {
			".status.phase", ".status.info.endpoint", ".status.info.secureEndpoint", ".metadata.creationTimestamp",
		},
		"CephObjectStoreUser": {".status.phase", ".metadata.creationTimestamp"},
		"ObjectBucketClaim":   {".spec.storageClassName", ".status.phase", ".metadata.creationTimestamp"},
		"ObjectBucket": {
			".spec.storageClassName", ".spec.claimRef.namespace", ".spec.claimRef.name", ".spec.reclaimPolicy",
			".status.phase", ".metadata.creationTimestamp",
		},
	}
	all := definitions(t)
	for kind, paths := range want {
		columns, _, err := unstructured.NestedSlice(version(t, all[kind]), "additionalPrinterColumns")
		if err != nil {
			t.Fatal(err)
		}
		for i, path := range paths {
			if got := columns[i].(map[string]any)["jsonPath"]; got != path {
				t.Errorf("column %d of %s reads %v, want %s", i, kind, got, path)
			}
		}
	}
}

func TestNamesAreThoseThatPeopleType(t *testing.T) {
	want := map[string]string{
		"CephCluster":                  "ceph.rook.io cephclusters cephcluster Namespaced [ceph] [rook-ceph]",
		"CephBlockPool":                "ceph.rook.io cephblockpools cephblockpool Namespaced [cephbp] [rook-ceph]",
		"CephFilesystem":               "ceph.rook.io cephfilesystems cephfilesystem Namespaced [cephfs] [rook-ceph]",
		"CephFilesystemSubVolumeGroup": "ceph.rook.io cephfilesystemsubvolumegroups cephfilesystemsubvolumegroup Namespaced [cephfssvg cephsvg] [rook-ceph]",
		"CephObjectStore":              "ceph.rook.io cephobjectstores cephobjectstore Namespaced [cephos] [rook-ceph]",
		"CephObjectStoreUser":          "ceph.rook.io cephobjectstoreusers cephobjectstoreuser Namespaced [rcou objectuser cephosu] [rook-ceph]",
		"CephObjectRealm":              "ceph.rook.io cephobjectrealms cephobjectrealm Namespaced [cephor] [rook-ceph]",
		"CephObjectZoneGroup":          "ceph.rook.io cephobjectzonegroups cephobjectzonegroup Namespaced [cephozg] [rook-ceph]",
		"CephObjectZone":               "ceph.rook.io cephobjectzones cephobjectzone Namespaced [cephoz] [rook-ceph]",
		"ObjectBucketClaim":            "objectbucket.io objectbucketclaims objectbucketclaim Namespaced [obc obcs] []",
		"ObjectBucket":                 "objectbucket.io objectbuckets objectbucket Cluster [ob obs] []",
		"CephDisk":                     "inventory.ceph.rook.io cephdisks cephdisk Cluster [] [rook-ceph]",
		"CephOSD":                      "inventory.ceph.rook.io cephosds cephosd Namespaced [] [rook-ceph]",
	}
	got := map[string]string{}
	for kind, crd := range definitions(t) {
		shortNames, _, _ := unstructured.NestedStringSlice(crd.Object, "spec", "names", "shortNames")
		categories, _, _ := unstructured.NestedStringSlice(crd.Object, "spec", "names", "categories")
		got[kind] = fmt.Sprintf("%s %s %s %s %v %v", text(t, crd.Object, "spec", "group"),
			text(t, crd.Object, "spec", "names", "plural"), text(t, crd.Object, "spec", "names", "singular"),
			text(t, crd.Object, "spec", "scope"), shortNames, categories)
		if _, ok, _ := unstructured.NestedMap(version(t, crd), "subresources", "status"); !ok {
			t.Errorf("%s has no status subresource", kind)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestStatusListsMerge holds every list in a status to be a map or a set, or to
// be atomic on purpose. An unmarked list is atomic for server-side apply, so the
// second writer would erase the first one's entries.
func TestStatusListsMerge(t *testing.T) {
	for kind, crd := range definitions(t) {
		status := schema(t, crd)["properties"].(map[string]any)["status"].(map[string]any)
		walk("status", status, func(path string, node map[string]any) {
			if node["type"] != "array" {
				return
			}
			if node["x-kubernetes-list-type"] == nil && !strings.Contains(path, "deprecatedOSDs") {
				t.Errorf("%s %s has no list type", kind, path)
			}
		})
		conditions, ok := status["properties"].(map[string]any)["conditions"].(map[string]any)
		if !ok {
			continue
		}
		if conditions["x-kubernetes-list-type"] != "map" || fmt.Sprint(conditions["x-kubernetes-list-map-keys"]) != "[type]" {
			t.Errorf("conditions of %s are not a map by type", kind)
		}
	}
}

// walk visits all nodes of a schema.
func walk(path string, node map[string]any, visit func(string, map[string]any)) {
	visit(path, node)
	if properties, ok := node["properties"].(map[string]any); ok {
		for name, child := range properties {
			walk(path+"."+name, child.(map[string]any), visit)
		}
	}
	for key, mark := range map[string]string{"items": "[]", "additionalProperties": "{}"} {
		if child, ok := node[key].(map[string]any); ok {
			walk(path+mark, child, visit)
		}
	}
}

func TestDefinitionsStaySmall(t *testing.T) {
	files, err := testenv.CRDs()
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		body, err := crds.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > maxCRDSize {
			t.Errorf("%s has %d bytes, want at most %d", name, len(body), maxCRDSize)
		}
	}
}
