{{/* Settings of one service: its own on top of `defaults`. Call with (dict "root" $ "name" "chat"); read with fromYaml. */}}
{{- define "bluewave.service" -}}
{{- $own := index .root.Values .name | required (printf "services: %s has no settings of its own; add a section named %s" .name .name) -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy $own) | toYaml -}}
{{- end -}}

{{/* Labels that never change, by which Services, policies and budgets find pods. */}}
{{- define "bluewave.selector" -}}
app.kubernetes.io/name: bluewave
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "bluewave.labels" -}}
{{ include "bluewave.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/part-of: bluewave
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "bluewave.image" -}}
{{- $values := .root.Values.image -}}
{{- $registry := ternary "" (printf "%s/" (trimSuffix "/" $values.registry)) (empty $values.registry) -}}
{{- printf "%s%s/%s:%s" $registry $values.repository .name ($values.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{/* The image of a service: its own reference or the one made from `image`. */}}
{{- define "bluewave.serviceImage" -}}
{{- $service := include "bluewave.service" . | fromYaml -}}
{{- $service.image | default (include "bluewave.image" .) -}}
{{- end -}}

{{- define "bluewave.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "bluewave.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "bluewave.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The names of the callers of a service, as a JSON list under "names". */}}
{{- define "bluewave.callers" -}}
{{- $names := list -}}
{{- range $caller := .root.Values.services -}}
{{- $service := include "bluewave.service" (dict "root" $.root "name" $caller) | fromYaml -}}
{{- if has $.name $service.calls }}{{ $names = append $names $caller }}{{ end -}}
{{- end -}}
{{- dict "names" $names | toJson -}}
{{- end -}}

{{/* The name of the Secret with the bundled engines' passwords. */}}
{{- define "bluewave.engineSecret" -}}
{{- .Values.bundled.existingSecret | default (printf "%s-engines" .Release.Name) -}}
{{- end -}}

{{/* A value that is made once: what the Secret holds already, else a new one. Call with (dict "secret" "key" "new"). */}}
{{- define "bluewave.kept" -}}
{{- $data := .secret.data | default dict -}}
{{- if hasKey $data .key }}{{ index $data .key | b64dec }}{{ else }}{{ .new }}{{ end -}}
{{- end -}}

{{- define "bluewave.claim" -}}
{{- /* A volume claim template of a bundled engine, or nothing when data lives with the pod. */ -}}
{{- if ne .root.Values.bundled.storageClass "-" }}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: { name: data }
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .root.Values.bundled.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources: { requests: { storage: {{ .storage }} } }
{{- end }}
{{- end -}}
