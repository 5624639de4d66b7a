{{/*
The account and the rights of a service. The rules come from the markers beside
its code, generated into rbac/: cluster.yaml (ClusterRole), namespaced.yaml (a
Role in each namespace that holds clusters), own.yaml (a Role in the
namespace of the service) and claims.yaml (a Role in each of claimNamespaces, or a
ClusterRole of its own when there are none). Leases, events about them and the reviews behind the
metrics endpoint are the same for all.
*/}}
{{- define "lib.rbac" -}}
{{- $name := include "lib.name" . -}}
{{- $account := dict "kind" "ServiceAccount" "name" $name "namespace" .Release.Namespace -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .Release.Name }}-{{ $name }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
rules:
  - apiGroups: [authentication.k8s.io]
    resources: [tokenreviews]
    verbs: [create]
  - apiGroups: [authorization.k8s.io]
    resources: [subjectaccessreviews]
    verbs: [create]
{{ .Files.Get "rbac/cluster.yaml" | indent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .Release.Name }}-{{ $name }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .Release.Name }}-{{ $name }}
subjects:
  - {{ toJson $account }}
---
{{- include "lib.role" (dict "root" . "name" $name "namespace" .Release.Namespace "account" $account "rules" (printf "%s\n%s" (include "lib.ownRules" .) (.Files.Get "rbac/own.yaml"))) }}
{{- $rules := .Files.Get "rbac/namespaced.yaml" }}
{{- if $rules }}
{{- range (include "lib.namespaces" . | fromJsonArray) }}
---
{{- include "lib.role" (dict "root" $ "name" (printf "%s-clusters" $name) "namespace" . "account" $account "rules" $rules) }}
{{- end }}
{{- end }}
{{- $rules := .Files.Get "rbac/claims.yaml" }}
{{- if $rules }}
{{- if .Values.claimNamespaces }}
{{- range (.Values.claimNamespaces | uniq) }}
---
{{- include "lib.role" (dict "root" $ "name" (printf "%s-claims" $name) "namespace" . "account" $account "rules" $rules) }}
{{- end }}
{{- else }}
---
{{- include "lib.clusterRole" (dict "root" . "name" (printf "%s-%s-claims" .Release.Name $name) "account" $account "rules" $rules) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lib.ownRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ .Chart.Name }}.ceph.rook.io]
  verbs: [get, update, patch]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "lib.role" }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- include "lib.labels" .root | nindent 4 }}
rules:
{{ .rules | indent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- include "lib.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
  - {{ toJson .account }}
{{- end }}

{{- define "lib.clusterRole" }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels:
    {{- include "lib.labels" .root | nindent 4 }}
rules:
{{ .rules | indent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "lib.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
  - {{ toJson .account }}
{{- end }}
