{{/*
The pod of a service. Call with a dict: root (the chart's context) and
optionally env, args, volumes, mounts, ports (lists), host (a dict of pod fields),
securityContext (of the container; replaces the restricted one) and grace (seconds that
calls in flight may take to end, 15 by default).
*/}}
{{- define "lib.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
metadata:
  labels:
    {{- include "lib.selector" $root | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ include "lib.name" $root }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "lib.name" $root }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .grace | default 15 }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with ($values.global).imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .host }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "lib.selector" $root | nindent 10 }}
  {{- end }}
  containers:
    - name: {{ include "lib.name" $root }}
      image: {{ include "lib.image" $root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - --log-level={{ $values.logLevel }}
        {{- with $values.metrics }}
        - --metrics-bind-address={{ ternary (printf ":%v" .port) "0" .enabled }}
        {{- end }}
        - --health-probe-bind-address=:{{ $values.probePort }}
        {{- with .args }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with $values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: NODE_NAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        - name: WATCH_NAMESPACES
          value: {{ include "lib.namespaces" $root | fromJsonArray | join "," }}
        - name: OWN_IMAGE
          value: {{ include "lib.image" $root }}
        {{- with $values.goMemLimit }}
        - name: GOMEMLIMIT
          value: {{ . }}
        {{- end }}
        {{- with $values.goGC }}
        - name: GOGC
          value: {{ . | quote }}
        {{- end }}
        {{- with .env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- if $values.metrics.enabled }}
        - name: metrics
          containerPort: {{ $values.metrics.port }}
        {{- end }}
        - name: probes
          containerPort: {{ $values.probePort }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: {{ $values.probePort }}
        periodSeconds: 20
        failureThreshold: 5
      readinessProbe:
        httpGet:
          path: /readyz
          port: {{ $values.probePort }}
        periodSeconds: 10
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- with .securityContext }}
        {{- toYaml . | nindent 8 }}
        {{- else }}
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
        {{- end }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- with .mounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        medium: Memory
        sizeLimit: 16Mi
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
