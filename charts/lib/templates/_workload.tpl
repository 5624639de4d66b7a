{{/* A Deployment with leader election: one leads, the others are warm standbys. */}}
{{- define "lib.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "lib.name" $root }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "lib.labels" $root | nindent 4 }}
spec:
  replicas: {{ $root.Values.replicas }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "lib.selector" $root | nindent 6 }}
  template:
    {{- include "lib.pod" . | nindent 4 }}
{{- if gt (int $root.Values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "lib.name" $root }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "lib.labels" $root | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "lib.selector" $root | nindent 6 }}
{{- end }}
{{- end }}

{{/* A DaemonSet: one pod on each node that its placement allows. */}}
{{- define "lib.daemonset" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ include "lib.name" $root }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "lib.labels" $root | nindent 4 }}
spec:
  revisionHistoryLimit: 3
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: {{ $root.Values.maxUnavailable | default "10%" }}
  selector:
    matchLabels:
      {{- include "lib.selector" $root | nindent 6 }}
  template:
    {{- include "lib.pod" . | nindent 4 }}
{{- end }}
