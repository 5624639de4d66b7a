package chartcheck

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func TestManagersAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	managers := ofKind(mustRender(t, "rook-ceph", nil), "Deployment")
	if len(managers) == 0 {
		t.Fatal("the chart has no Deployment")
	}
	for _, object := range managers {
		deployment := as[appsv1.Deployment](t, object)
		template := deployment.Spec.Template
		for _, result := range evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", deployment.Name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if *deployment.Spec.Replicas != 2 {
			t.Errorf("%s: got %d replicas, want 2", deployment.Name, *deployment.Spec.Replicas)
		}
	}
}

// claimsRole is what rgw-manager may do where bucket claims are.
const claimsRole = "rook-ceph-rgw-manager-claims"

func TestRightsAreNarrow(t *testing.T) {
	objects := mustRender(t, "rook-ceph", nil)
	roles := ofKind(objects, "ClusterRole")
	for _, object := range roles {
		role := as[rbacv1.ClusterRole](t, object)
		checkRules(t, role.Name, role.Rules)
		for _, rule := range role.Rules {
			if slices.Contains(rule.Resources, "secrets") && role.Name != claimsRole {
				t.Errorf("%s: secrets of the whole cluster", role.Name)
			}
		}
	}
	for _, object := range ofKind(objects, "Role") {
		role := as[rbacv1.Role](t, object)
		checkRules(t, role.Name, role.Rules)
	}
	if len(roles) < 5 {
		t.Errorf("got %d ClusterRoles, want one per service", len(roles))
	}
}

// TestKeysOfClaimsAreNeverListed allows the one service that writes Secrets outside
// the namespaces of clusters to do so one at a time, and nothing else, where
// claimNamespaces says.
func TestKeysOfClaimsAreNeverListed(t *testing.T) {
	for name, tc := range map[string]struct {
		kind, role string
		values     map[string]any
	}{
		"claims anywhere":         {"ClusterRole", claimsRole, nil},
		"claims in one namespace": {"Role", "rgw-manager-claims", map[string]any{"rgw-manager": map[string]any{"claimNamespaces": []any{"shop"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			objects := mustRender(t, "rook-ceph", tc.values)
			var found []string
			for _, object := range append(ofKind(objects, "ClusterRole"), ofKind(objects, "Role")...) {
				if !strings.HasSuffix(object.GetName(), "-claims") {
					continue
				}
				found = append(found, object.GetKind()+" "+object.GetName()+" in "+object.GetNamespace())
				for _, rule := range as[rbacv1.ClusterRole](t, object).Rules {
					keys := slices.Contains(rule.Resources, "secrets") || slices.Contains(rule.Resources, "configmaps")
					if keys && !slices.Equal(rule.Verbs, []string{"create", "delete", "get", "patch"}) {
						t.Errorf("%s may %v %v", object.GetName(), rule.Verbs, rule.Resources)
					}
				}
			}
			namespace := map[string]string{"Role": "shop"}[tc.kind]
			if want := tc.kind + " " + tc.role + " in " + namespace; !slices.Equal(found, []string{want}) {
				t.Errorf("got %v, want %s alone", found, want)
			}
		})
	}
}

// TestOnlyKeepersOfKeysReadUnnamedSecrets holds every service to the Secrets that
// it can name, but for those that keep keys of daemons, users and buckets, whose
// number only a cluster tells.
func TestOnlyKeepersOfKeysReadUnnamedSecrets(t *testing.T) {
	readers := map[string]bool{}
	for _, object := range ofKind(mustRender(t, "rook-ceph", nil), "Role") {
		role := as[rbacv1.Role](t, object)
		for _, rule := range role.Rules {
			reads := slices.ContainsFunc(rule.Verbs, func(verb string) bool { return slices.Contains([]string{"get", "list", "watch"}, verb) })
			if reads && slices.Contains(rule.Resources, "secrets") && len(rule.ResourceNames) == 0 {
				readers[role.Name] = true
			}
		}
	}
	want := map[string]bool{"mon-manager-clusters": true, "osd-manager-clusters": true, "mds-manager-clusters": true, "rgw-manager-clusters": true}
	if diff := cmp.Diff(want, readers); diff != "" {
		t.Errorf("roles that read Secrets without naming them (-want +got):\n%s", diff)
	}
}

func checkRules(t *testing.T, role string, rules []rbacv1.PolicyRule) {
	t.Helper()
	for _, rule := range rules {
		for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs} {
			for _, word := range list {
				if strings.Contains(word, "*") {
					t.Errorf("%s: wildcard in %v", role, rule)
				}
			}
		}
		for _, resource := range []string{"pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token"} {
			if slices.Contains(rule.Resources, resource) {
				t.Errorf("%s: %s", role, resource)
			}
		}
		for _, verb := range []string{"escalate", "bind", "impersonate"} {
			if slices.Contains(rule.Verbs, verb) {
				t.Errorf("%s: verb %s", role, verb)
			}
		}
	}
}

func TestEachServiceHasItsOwnTag(t *testing.T) {
	values := map[string]any{"osd-manager": map[string]any{"image": map[string]any{"tag": "v9.9.9"}}}
	for _, object := range ofKind(mustRender(t, "rook-ceph", values), "Deployment") {
		deployment := as[appsv1.Deployment](t, object)
		for _, container := range deployment.Spec.Template.Spec.Containers {
			if got, want := strings.HasSuffix(container.Image, ":v9.9.9"), deployment.Name == "osd-manager"; got != want {
				t.Errorf("%s runs %s", deployment.Name, container.Image)
			}
		}
	}
}

func TestDefinitionsAreKept(t *testing.T) {
	definitions := ofKind(mustRender(t, "rook-ceph", nil), "CustomResourceDefinition")
	if len(definitions) < 4 {
		t.Fatalf("got %d definitions, want at least 4", len(definitions))
	}
	for _, definition := range definitions {
		if definition.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s would be deleted with the release", definition.GetName())
		}
	}
}

func TestTypingErrorsInValuesAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		chart  string
		values map[string]any
		names  string
	}{
		"an unknown service value": {"rook-ceph", map[string]any{"mon-manager": map[string]any{"replcas": 1}}, "replcas"},
		"an unknown service":       {"rook-ceph", map[string]any{"osdmanager": map[string]any{}}, "osdmanager"},
		"an unknown cluster value": {"rook-ceph-cluster", map[string]any{"cephImages": map[string]any{}}, "cephImages"},
		"a wrong log level":        {"rook-ceph", map[string]any{"discover": map[string]any{"logLevel": "loud"}}, "logLevel"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := render(t, tc.chart, tc.values)
			if err == nil || !strings.Contains(err.Error(), tc.names) {
				t.Errorf("got %v, want an error that names %s", err, tc.names)
			}
		})
	}
}

func TestClusterChartRendersWhatTheValuesAskFor(t *testing.T) {
	objects := mustRender(t, "rook-ceph-cluster", map[string]any{
		"configOverride": "[global]\nmon_max_pg_per_osd = 400\n",
		"toolbox":        map[string]any{"enabled": true},
		"cephECBlockPools": []any{map[string]any{
			"name": "ec",
			"spec": map[string]any{
				"metadataPool": map[string]any{"replicated": map[string]any{"size": 2}},
				"dataPool":     map[string]any{"erasureCoded": map[string]any{"dataChunks": 2, "codingChunks": 1}},
			},
			"storageClass": map[string]any{"enabled": true, "name": "ec"},
		}},
	})
	want := map[string]int{"CephCluster": 1, "CephBlockPool": 3, "CephFilesystem": 1, "CephFilesystemSubVolumeGroup": 1,
		"CephObjectStore": 1, "StorageClass": 4, "ConfigMap": 1, "Deployment": 1}
	for kind, count := range want {
		if got := len(ofKind(objects, kind)); got != count {
			t.Errorf("%s: got %d, want %d", kind, got, count)
		}
	}
	for _, class := range ofKind(objects, "StorageClass") {
		parameters, _, _ := unstructured.NestedStringMap(class.Object, "parameters")
		if class.GetName() == "ceph-bucket" {
			continue // no volume
		}
		if parameters["clusterID"] != "rook-ceph" || parameters["csi.storage.k8s.io/node-stage-secret-namespace"] != "rook-ceph" {
			t.Errorf("%s: parameters %v", class.GetName(), parameters)
		}
	}
}

func TestVolumesOfAllClassesCanGrow(t *testing.T) {
	objects := mustRender(t, "rook-ceph-cluster", map[string]any{
		"cephECBlockPools": []any{map[string]any{
			"name": "ec", "spec": map[string]any{"metadataPool": map[string]any{}, "dataPool": map[string]any{}},
			"storageClass": map[string]any{"enabled": true, "name": "ec", "allowVolumeExpansion": true},
		}},
	})
	left := map[string]string{"ceph-block": "rbd", "ec": "rbd", "ceph-filesystem": "cephfs"}
	for _, class := range ofKind(objects, "StorageClass") {
		driver, ours := left[class.GetName()]
		if !ours {
			continue
		}
		delete(left, class.GetName())
		parameters, _, _ := unstructured.NestedStringMap(class.Object, "parameters")
		if class.Object["allowVolumeExpansion"] != true ||
			parameters["csi.storage.k8s.io/controller-expand-secret-name"] != "rook-csi-"+driver+"-provisioner" ||
			parameters["csi.storage.k8s.io/controller-expand-secret-namespace"] != "rook-ceph" {
			t.Errorf("%s: %v, %v", class.GetName(), class.Object["allowVolumeExpansion"], parameters)
		}
	}
	if len(left) > 0 {
		t.Errorf("not there: %v", left)
	}
}

func TestAFileSystemHasItsClasses(t *testing.T) {
	objects := mustRender(t, "rook-ceph-cluster", map[string]any{
		"cephFileSystemVolumeSnapshotClass": map[string]any{"enabled": true},
	})
	var class, snapshots *unstructured.Unstructured
	for _, object := range ofKind(objects, "StorageClass") {
		if object.GetName() == "ceph-filesystem" {
			class = &object
		}
	}
	for _, object := range ofKind(objects, "VolumeSnapshotClass") {
		snapshots = &object
	}
	if class == nil || snapshots == nil {
		t.Fatalf("classes %v and %v", class, snapshots)
	}
	parameters, _, _ := unstructured.NestedStringMap(class.Object, "parameters")
	for name, want := range map[string]string{
		"clusterID": "rook-ceph", "fsName": "ceph-filesystem", "pool": "ceph-filesystem-data0",
		"csi.storage.k8s.io/node-stage-secret-name": "rook-csi-cephfs-node",
	} {
		if parameters[name] != want {
			t.Errorf("%s is %q, want %s", name, parameters[name], want)
		}
	}
	if class.Object["provisioner"] != "rook-ceph.cephfs.csi.ceph.com" || snapshots.Object["driver"] != class.Object["provisioner"] {
		t.Errorf("drivers %v and %v", class.Object["provisioner"], snapshots.Object["driver"])
	}
}

func TestNotesNameTheNextCommands(t *testing.T) {
	for chart, words := range map[string][]string{
		"rook-ceph":         {"kubectl get cephdisks", "helm install"},
		"rook-ceph-cluster": {"get cephclusters --watch", "describe cephcluster rook-ceph"},
	} {
		_, notes, err := render(t, chart, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(notes, word) {
				t.Errorf("%s: notes do not say %q", chart, word)
			}
		}
	}
}
