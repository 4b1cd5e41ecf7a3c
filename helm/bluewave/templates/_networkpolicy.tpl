{{- define "bluewave.enginePorts" -}}
mongodb: 27017
nats: 4222
redis: 6379
s3: 7070
{{- end -}}

{{- define "bluewave.dnsEgress" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
  {{- with .Values.networkPolicy.dnsTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "bluewave.cidrEgress" -}}
{{- range . }}
- ports: [{ port: {{ .port }}, protocol: TCP }]
  to: [{ ipBlock: { cidr: {{ .cidr | quote }} } }]
{{- end }}
{{- end -}}
