{{/* The non-secret environment of a service. Call with (dict "root" "name" "service" "callers"). */}}
{{- define "bluewave.componentConfig" -}}
{{- $values := .root.Values -}}
{{- $data := dict "BLUEWAVE_ENV" $values.environment "LOG_LEVEL" $values.logLevel "ADMIN_PORT" "9090" -}}
{{- if .service.grpc }}{{ $_ := set $data "GRPC_PORT" "50051" }}{{ else }}{{ $_ := set $data "HTTP_PORT" "8080" }}{{ end -}}
{{- range .service.calls }}
{{- $_ := set $data (printf "%s_ADDRESS" (upper .)) (printf "%s-%s:50051" $.root.Release.Name .) }}
{{- end -}}
{{- if $values.mtls.enabled }}
{{- $_ := set $data "GRPC_TLS_CA_FILE" "/etc/bluewave/tls/ca.crt" }}
{{- $_ := set $data "GRPC_TLS_CERT_FILE" "/etc/bluewave/tls/tls.crt" }}
{{- $_ := set $data "GRPC_TLS_KEY_FILE" "/etc/bluewave/tls/tls.key" }}
{{- if .service.grpc }}{{ $_ := set $data "GRPC_ALLOWED_CALLERS" (join "," .callers) }}{{ end -}}
{{- end -}}
{{- range $name, $value := .service.env }}{{ $_ := set $data $name (toString $value) }}{{ end -}}
{{- range $name, $value := .service.extraEnv }}{{ $_ := set $data $name (toString $value) }}{{ end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* The pod of a service. Call with (dict "root" "name" "service" "fullName"). */}}
{{- define "bluewave.componentPod" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ .fullName }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "bluewave.pullSecrets" .root }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
securityContext: {{- include "bluewave.podSecurity" .root | nindent 2 }}
{{- with .service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .service.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $values.spread.enabled }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "bluewave.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
containers:
  - name: {{ .name }}
    image: {{ include "bluewave.serviceImage" . | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    securityContext:
      {{- include "bluewave.containerSecurity" .root | replace "readOnlyRootFilesystem: true" (printf "readOnlyRootFilesystem: %t" (not $values.dev.enabled)) | nindent 6 }}
    ports:
      {{- if .service.grpc }}
      - { name: grpc, containerPort: 50051 }
      {{- else }}
      - { name: http, containerPort: 8080 }
      {{- end }}
      - { name: admin, containerPort: 9090 }
    envFrom:
      - configMapRef: { name: {{ .fullName }} }
      {{- range .service.envFromSecrets }}
      - secretRef: { name: {{ . }} }
      {{- end }}
    {{- $mounted := include "bluewave.mountedFiles" . | fromJson }}
    env:
      {{- include "bluewave.engineEnv" (dict "root" .root "name" .name "engines" .service.engines) | trim | nindent 6 }}
      {{- range $file, $settings := $mounted }}
      - name: {{ $settings.env }}
        value: /etc/bluewave/{{ kebabcase $file }}/{{ $settings.file }}
      {{- end }}
    {{- include "bluewave.probes" . | nindent 4 }}
    lifecycle:
      preStop: { sleep: { seconds: {{ $values.preStopSeconds }} } }
    resources: {{- toYaml .service.resources | nindent 6 }}
    volumeMounts:
      - { name: tmp, mountPath: /tmp }
      {{- range $file, $settings := $mounted }}
      - { name: {{ kebabcase $file }}, mountPath: /etc/bluewave/{{ kebabcase $file }}, readOnly: true }
      {{- end }}
      {{- if $values.mtls.enabled }}
      - { name: tls, mountPath: /etc/bluewave/tls, readOnly: true }
      {{- end }}
volumes:
  - { name: tmp, emptyDir: { sizeLimit: {{ .service.tmpSize }} } }
  {{- range $file, $settings := $mounted }}
  - name: {{ kebabcase $file }}
    secret:
      secretName: {{ $settings.existingSecret | default (printf "%s-%s" $.fullName (kebabcase $file)) }}
      defaultMode: 0440
      items: [{ key: {{ $settings.file }}, path: {{ $settings.file }} }]
  {{- end }}
  {{- if $values.mtls.enabled }}
  - name: tls
    secret: { secretName: {{ .fullName }}-tls, defaultMode: 0440 }
  {{- end }}
{{- end -}}

{{/* The secret files that have a source: a Secret of the user's, a value, or one that the chart makes. */}}
{{- define "bluewave.mountedFiles" -}}
{{- $files := dict -}}
{{- range $file, $settings := .service.secretFiles -}}
{{- if or $settings.existingSecret $settings.content $settings.generate }}{{ $_ := set $files $file $settings }}{{ end -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{/* Liveness asks for the event loop only; a pod is ready from its start to SIGTERM, whatever its engines do. */}}
{{- define "bluewave.probes" -}}
startupProbe:
  {{- if and .service.grpc (not .root.Values.mtls.enabled) }}
  grpc: { port: 50051 }
  {{- else }}
  httpGet: { path: /readyz, port: admin }
  {{- end }}
  periodSeconds: 2
  timeoutSeconds: 2
  # In development a process that found no engine yet waits for a change of its sources: start it anew soon.
  failureThreshold: {{ ternary 10 60 .root.Values.dev.enabled }}
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
{{- /* In development a mistake in a source has to wait for its correction: a new container would lose all edits. */}}
{{- if not .root.Values.dev.enabled }}
livenessProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
{{- end -}}

{{/* The door: <release>-gateway on port 80, and a headless Service that names each gateway pod. */}}
{{- define "bluewave.doorServices" -}}
{{- $door := .service.service | default dict }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .fullName }}
  labels: {{- include "bluewave.labels" . | nindent 4 }}
  {{- with $door.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $door.type | default "ClusterIP" }}
  sessionAffinity: {{ $door.sessionAffinity | default "None" }}
  selector: {{- include "bluewave.selector" . | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
      {{- with $door.nodePort }}
      nodePort: {{ . }}
      {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .fullName }}-pods
  labels: {{- include "bluewave.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "bluewave.selector" . | nindent 4 }}
  ports:
    - { name: http, port: 8080, targetPort: http }
    - { name: admin, port: 9090, targetPort: admin }
{{- end -}}
