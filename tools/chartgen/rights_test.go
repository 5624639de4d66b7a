package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestParseRolesSortsRulesByNamespace(t *testing.T) {
	got, err := parseRoles([]byte(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: x}
rules:
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: x, namespace: cluster}
rules:
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: x, namespace: claims}
rules:
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
`))
	if err != nil {
		t.Fatal(err)
	}
	rule := func(resource string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{resource}, Verbs: []string{"get"}}}
	}
	want := map[string][]rbacv1.PolicyRule{"": rule("nodes"), inClusters: rule("secrets"), inClaims: rule("configmaps")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := parseRoles([]byte("metadata: {namespace: elsewhere}")); err == nil {
		t.Error("a marker with an unknown namespace is accepted")
	}
}

func TestInferRefusesUnknownKeys(t *testing.T) {
	got := infer("", map[string]any{"replicas": float64(2), "nodeSelector": map[string]any{"a": "b"}, "logLevel": "info"})
	want := schema{"type": "object", "additionalProperties": false, "properties": schema{
		"replicas":     schema{"type": "integer"},
		"nodeSelector": schema{"type": "object"},
		"logLevel":     schema{"type": "string", "enum": []string{"debug", "info", "warn", "error"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
