{{/*
The environment that leads a service to its engines. Bundled: a user and a password per service, put into the URL by
Kubernetes. Else: the URL from a Secret. Call with (dict "root" $ "name" "chat" "engines" (list ...)).
*/}}
{{- define "bluewave.engineEnv" -}}
{{- range $engine := .engines }}
{{- $settings := index $.root.Values.engines $engine }}
{{- if eq $engine "s3" }}
{{- include "bluewave.s3Env" $ }}
{{- else if $.root.Values.engines.bundled }}
- name: {{ upper $engine }}_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "bluewave.engineSecret" $.root }}, key: {{ $.name }}-password } }
- name: {{ upper $engine }}_URL
  value: {{ include (printf "bluewave.bundledUrl.%s" $engine) $ | quote }}
{{- else }}
- name: {{ upper $engine }}_URL
  valueFrom:
    secretKeyRef:
      name: {{ $settings.existingSecret | default (printf "%s-%s" $.root.Release.Name $engine) }}
      key: {{ ternary (printf "%s-url" $.name) "url" $settings.keyPerService }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "bluewave.bundledUrl.mongodb" -}}
mongodb://{{ .name }}:$(MONGODB_PASSWORD)@{{ .root.Release.Name }}-mongodb-0.{{ .root.Release.Name }}-mongodb:27017/?replicaSet=rs0&authSource=admin
{{- end -}}
{{- define "bluewave.bundledUrl.redis" -}}
redis://{{ .name }}:$(REDIS_PASSWORD)@{{ .root.Release.Name }}-redis:6379
{{- end -}}
{{- define "bluewave.bundledUrl.nats" -}}
nats://{{ .name }}:$(NATS_PASSWORD)@{{ .root.Release.Name }}-nats:4222
{{- end -}}

{{- define "bluewave.s3Env" -}}
{{- $s3 := .root.Values.engines.s3 }}
{{- $bundled := .root.Values.engines.bundled }}
{{- $own := printf "http://%s-s3:7070" .root.Release.Name }}
{{- $endpoint := ternary $own $s3.endpoint $bundled }}
{{- $secret := ternary (include "bluewave.engineSecret" .root) ($s3.existingSecret | default (printf "%s-s3" .root.Release.Name)) $bundled }}
- name: S3_ENDPOINT
  value: {{ $endpoint | quote }}
- name: S3_PUBLIC_ENDPOINT
  value: {{ $s3.publicEndpoint | default $endpoint | quote }}
- name: S3_REGION
  value: {{ $s3.region | quote }}
- name: S3_BUCKET
  value: {{ $s3.bucket | quote }}
- name: S3_FORCE_PATH_STYLE
  value: {{ $s3.forcePathStyle | quote }}
{{- if or $bundled $s3.existingSecret $s3.accessKeyId }}
- name: S3_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ ternary "s3-access-key-id" "access-key-id" $bundled }} } }
- name: S3_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ ternary "s3-secret-access-key" "secret-access-key" $bundled }} } }
{{- end }}
{{- end -}}

{{/* host:port where KEDA asks NATS how much work waits. */}}
{{- define "bluewave.natsMonitoring" -}}
{{- $own := printf "%s-nats.%s.svc:8222" .Release.Name .Release.Namespace -}}
{{- .Values.scaling.natsMonitoringEndpoint | default (ternary $own "" .Values.engines.bundled) | required "scaling.natsMonitoringEndpoint: host:port of the monitoring port of NATS" -}}
{{- end -}}
