{{/* Hook pods are not the release's pods: the network policies do not select them, they run before those exist. */}}
{{- define "bluewave.hookLabels" -}}
app.kubernetes.io/name: bluewave-hook
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "bluewave.hook" -}}
helm.sh/hook: {{ .when }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
