{{- define "bluewave.engineContainer.mongodb" -}}
# mongod refuses a key file that a group may read, and a Secret's files are the group's.
command: [sh, -c, 'install -m 0400 /conf/key /tmp/key && exec "$@"', sh]
args:
  - mongod
  - --replSet=rs0
  - --bind_ip_all
  - --port=27017
  - --dbpath=/data/db
  - --keyFile=/tmp/key
  - --nounixsocket
  - --wiredTigerCacheSizeGB={{ .settings.cacheGB }}
  - --setParameter=diagnosticDataCollectionEnabled=false
volumeMounts:
  - { name: data, mountPath: /data/db }
  - { name: conf, mountPath: /conf, readOnly: true }
  - { name: tmp, mountPath: /tmp }
{{- end -}}

{{- define "bluewave.engineContainer.redis" -}}
command: [redis-server]
args: [--port, "6379", --dir, /data, --aclfile, /conf/users.acl, --appendonly, "yes", --save, "", --maxmemory-policy, noeviction]
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: conf, mountPath: /conf, readOnly: true }
{{- end -}}

{{- define "bluewave.engineContainer.nats" -}}
command: [nats-server]
args: [--config, /conf/nats.conf]
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: conf, mountPath: /conf, readOnly: true }
{{- end -}}

{{- define "bluewave.engineContainer.s3" -}}
args: [--port, ":7070", --region, {{ .root.Values.engines.s3.region | quote }}, --health, /health, --quiet, posix, /data]
env:
  - name: ROOT_ACCESS_KEY
    valueFrom: { secretKeyRef: { name: {{ .secret }}, key: s3-access-key-id } }
  - name: ROOT_SECRET_KEY
    valueFrom: { secretKeyRef: { name: {{ .secret }}, key: s3-secret-access-key } }
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
{{- end -}}

{{/* The pod that makes the replica set and the users; it changes nothing that is there already. */}}
{{- define "bluewave.mongodbSetupPod" -}}
{{- $owners := list -}}
{{- range $name := .Values.services -}}
{{- if has "mongodb" (include "bluewave.service" (dict "root" $ "name" $name) | fromYaml).engines }}{{ $owners = append $owners $name }}{{ end -}}
{{- end -}}
{{- $secret := include "bluewave.engineSecret" . -}}
restartPolicy: OnFailure
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "bluewave.pullSecrets" . }}
securityContext: {{- include "bluewave.podSecurity" . | nindent 2 }}
containers:
  - name: setup
    image: {{ include "bluewave.serviceImage" (dict "root" . "name" "auth") | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    # The script finds the MongoDB driver among the service's dependencies.
    command: [node, /setup/mongodb-setup.cjs]
    env:
      - { name: HOST, value: {{ printf "%s-mongodb-0.%s-mongodb:27017" .Release.Name .Release.Name | quote }} }
      - { name: OWNERS, value: {{ join "," $owners | quote }} }
      - name: KEY
        valueFrom: { secretKeyRef: { name: {{ $secret }}, key: mongodb-key } }
      {{- range $owners }}
      - name: PASSWORD_{{ upper . }}
        valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ . }}-password } }
      {{- end }}
    securityContext: {{- include "bluewave.containerSecurity" . | nindent 6 }}
    resources:
      requests: { cpu: 10m, memory: 64Mi }
      limits: { memory: 256Mi }
    volumeMounts:
      - { name: setup, mountPath: /setup, readOnly: true }
      - { name: tmp, mountPath: /tmp }
volumes:
  - { name: setup, configMap: { name: {{ .Release.Name }}-mongodb-setup } }
  - { name: tmp, emptyDir: { sizeLimit: 16Mi } }
{{- end -}}
