{{/* The names and labels that every object of a service carries. */}}

{{- define "lib.name" -}}
{{ .Chart.Name }}
{{- end }}

{{- define "lib.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "lib.tag" . | quote }}
app.kubernetes.io/component: controller
app.kubernetes.io/part-of: rook-ceph
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "lib.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The tag of the service's own image: every service has its own. */}}
{{- define "lib.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "lib.image" -}}
{{- $registry := .Values.image.registry | default ((.Values.global).image).registry -}}
{{- $name := .Values.image.repository -}}
{{- if $registry }}{{ $name = printf "%s/%s" $registry $name }}{{ end -}}
{{- if .Values.image.digest -}}
{{ $name }}@{{ .Values.image.digest }}
{{- else -}}
{{ $name }}:{{ include "lib.tag" . }}
{{- end -}}
{{- end }}

{{/* The namespaces that hold clusters, as a JSON list. */}}
{{- define "lib.namespaces" -}}
{{- $given := (.Values.global).namespaces | default list -}}
{{- if $given }}{{ $given | uniq | toJson }}{{ else }}{{ list .Release.Namespace | toJson }}{{ end -}}
{{- end }}

{{/* The arguments that switch CSI drivers off, as a JSON list; they are on by default. */}}
{{- define "lib.drivers" -}}
{{- $args := list -}}
{{- $csi := dict "enableRbdDriver" true "enableCephfsDriver" true -}}
{{- $csi = mergeOverwrite $csi (deepCopy ((.Values.global).csi | default dict)) -}}
{{- if not $csi.enableRbdDriver }}{{ $args = append $args "--enable-rbd-driver=false" }}{{ end -}}
{{- if not $csi.enableCephfsDriver }}{{ $args = append $args "--enable-cephfs-driver=false" }}{{ end -}}
{{- $args | toJson -}}
{{- end }}
