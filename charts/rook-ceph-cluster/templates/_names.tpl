{{- define "cluster.name" -}}
{{ .Values.clusterName | default .Release.Namespace }}
{{- end }}

{{/*
The Ceph image: cephClusterSpec.cephVersion.image, else cephImage, else the one
that this chart was made for.
*/}}
{{- define "cluster.image" -}}
{{- $given := dig "cephVersion" "image" "" (.Values.cephClusterSpec | default dict) -}}
{{- $image := printf "%s:%s" (.Values.cephImage.repository | default "quay.io/ceph/ceph") (.Values.cephImage.tag | default "v20.2.4") -}}
{{- if and $given (or .Values.cephImage.repository .Values.cephImage.tag) (ne $given $image) -}}
{{- fail (printf "cephClusterSpec.cephVersion.image is %s and cephImage is %s: remove one of them from the values" $given $image) -}}
{{- end -}}
{{ $given | default $image }}
{{- end }}

{{/*
spec.monitoring: the values of cephClusterSpec.monitoring over those of
monitoring.
*/}}
{{- define "cluster.monitoring" -}}
{{- $given := dig "monitoring" dict (.Values.cephClusterSpec | default dict) | default dict -}}
{{- range $name := list "enabled" "metricsDisabled" -}}
{{- if and (get $.Values.monitoring $name) (hasKey $given $name) (not (get $given $name)) -}}
{{- fail (printf "cephClusterSpec.monitoring.%s is false and monitoring.%s is true: remove one of them from the values" $name $name) -}}
{{- end -}}
{{- end -}}
{{ include "cluster.over" (list .Values.monitoring $given) }}
{{- end }}

{{/*
spec.cephVersion: the values of cephClusterSpec.cephVersion over those of
cephImage.
*/}}
{{- define "cluster.version" -}}
{{- $given := dig "cephVersion" dict (.Values.cephClusterSpec | default dict) | default dict -}}
{{- $own := dict "image" (include "cluster.image" .) "allowUnsupported" .Values.cephImage.allowUnsupported -}}
{{- with .Values.cephImage.imagePullPolicy }}{{ $_ := set $own "imagePullPolicy" . }}{{ end -}}
{{ include "cluster.over" (list $own (omit $given "image")) }}
{{- end }}

{{/* The fields of the second map over those of the first; false counts. */}}
{{- define "cluster.over" -}}
{{- $fields := dict -}}
{{- range $map := . }}{{ range $name, $value := $map }}{{ $_ := set $fields $name $value }}{{ end }}{{ end -}}
{{ toYaml $fields }}
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

{{/* The port of a store's Service that is led to. Call with the store and the way (ingress or route). */}}
{{- define "cluster.storePort" -}}
{{- $gateway := dig "gateway" dict (.store.spec | default dict) | default dict -}}
{{ .way.port | default $gateway.securePort | default $gateway.port | default 80 }}
{{- end }}
