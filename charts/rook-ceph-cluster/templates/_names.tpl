{{- define "cluster.name" -}}
{{ .Values.clusterName | default .Release.Namespace }}
{{- end }}

{{- define "cluster.image" -}}
{{ .Values.cephImage.repository }}:{{ .Values.cephImage.tag }}
{{- end }}

{{- define "cluster.driver" -}}
{{ .Values.csiDriverNamePrefix | default .Values.operatorNamespace }}.rbd.csi.ceph.com
{{- end }}

{{- define "cluster.filesystemDriver" -}}
{{ .Values.csiDriverNamePrefix | default .Values.operatorNamespace }}.cephfs.csi.ceph.com
{{- end }}

{{- define "cluster.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: rook-ceph
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* A StorageClass. Call with root, class (values), parameters (defaults), and driver for another than RBD's. */}}
{{- define "cluster.storageClass" }}
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: {{ .class.name }}
  labels:
    {{- include "cluster.labels" .root | nindent 4 }}
    {{- with .class.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    storageclass.kubernetes.io/is-default-class: {{ ternary "true" "false" (.class.isDefault | default false) | quote }}
    {{- with .class.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
provisioner: {{ .driver | default (include "cluster.driver" .root) }}
parameters:
  {{- $parameters := merge (dict) (.class.parameters | default dict) .parameters }}
  {{- tpl (toYaml $parameters) .root | nindent 2 }}
reclaimPolicy: {{ .class.reclaimPolicy | default "Delete" }}
allowVolumeExpansion: {{ .class.allowVolumeExpansion | default false }}
volumeBindingMode: {{ .class.volumeBindingMode | default "Immediate" }}
{{- with .class.mountOptions }}
mountOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .class.allowedTopologies }}
allowedTopologies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
