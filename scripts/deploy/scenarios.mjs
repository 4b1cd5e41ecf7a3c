// The sets of values that the chart is rendered with, and the mistakes that it must refuse.

const external = {
  engines: {
    bundled: false,
    mongodb: { url: 'mongodb://db.example.com:27017/?replicaSet=rs0' },
    redis: { url: 'redis://cache.example.com:6379' },
    nats: { url: 'nats://bus.example.com:4222' },
    s3: { endpoint: 'https://s3.example.com', accessKeyId: 'key', secretAccessKey: 'secret' },
  },
};

const existing = {
  engines: {
    bundled: false,
    mongodb: { existingSecret: 'our-mongodb', keyPerService: true },
    redis: { existingSecret: 'our-redis' },
    nats: { existingSecret: 'our-nats', keyPerService: true },
    s3: { endpoint: 'https://s3.example.com', existingSecret: 'our-s3' },
  },
  auth: { secretFiles: { tokenKeys: { existingSecret: 'our-keys' } } },
  push: { secretFiles: { fcm: { existingSecret: 'our-firebase' } }, env: { FCM_PROJECT_ID: 'our-project' } },
  mtls: { issuer: 'existing' },
  image: { registry: 'registry.example.com:5000', tag: '1.2.3', pullSecrets: ['our-registry'] },
};

const everything = {
  ...external,
  mtls: { issuer: 'cert-manager' },
  defaults: {
    secretFiles: { errorHook: { env: 'ERROR_HOOK', file: 'hook.mjs', existingSecret: 'our-hook' } },
    envFromSecrets: ['our-dsn'],
  },
  auth: { autoscaling: { enabled: true }, tolerations: [{ key: 'chat', operator: 'Exists' }] },
  chat: { autoscaling: { enabled: true }, nodeSelector: { pool: 'chat' }, priorityClassName: 'high' },
  gateway: {
    keda: { enabled: true },
    service: { type: 'NodePort', nodePort: 30080, sessionAffinity: 'ClientIP', annotations: { note: 'x' } },
    env: { CORS_ORIGINS: 'https://chat.example.com' },
  },
  media: {
    keda: { enabled: true },
    extraEnv: { NODE_OPTIONS: '--max-old-space-size=700' },
    envFromSecrets: ['our-extra'],
  },
  scaling: { natsMonitoringEndpoint: 'bus.example.com:8222' },
  push: {
    keda: { enabled: true },
    secretFiles: { fcm: { content: '{"project_id":"our-project"}' } },
    podLabels: { team: 'a' },
    podAnnotations: { b: 'c' },
  },
  networkPolicy: {
    gatewayFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }],
  },
  ingress: { enabled: true, className: 'nginx', tlsSecret: 'chat-tls', annotations: { a: 'b' } },
  gatewayApi: { enabled: true, parentRefs: [{ name: 'public', namespace: 'gateways' }] },
  monitoring: {
    serviceMonitors: { enabled: true, labels: { release: 'prometheus' } },
    rules: { enabled: true, labels: { release: 'prometheus' } },
    dashboards: { enabled: true },
  },
};

/** name, values, and the Secrets that somebody else makes. */
export const scenarios = [
  { name: 'default values', values: {}, secrets: ['tls'] },
  { name: 'engines by URL', values: external, secrets: ['tls'] },
  {
    name: 'every secret existing',
    values: existing,
    secrets: ['tls', 'our-mongodb', 'our-redis', 'our-nats', 'our-s3', 'our-keys', 'our-firebase', 'our-registry'],
  },
  { name: 'every toggle on', values: everything, secrets: ['tls', 'our-extra', 'our-hook', 'our-dsn'] },
  {
    name: 'every toggle off',
    values: {
      bundled: { storageClass: '-', existingSecret: 'our-engines' },
      mtls: { enabled: false },
      networkPolicy: { enabled: false },
      spread: { enabled: false },
      tests: { enabled: false },
      dev: { enabled: true },
      environment: 'development',
      defaults: { replicas: 1, podDisruptionBudget: { enabled: false } },
    },
    secrets: ['our-engines'],
  },
];

/** Values that are wrong, and what the refusal has to name. */
export const mistakes = [
  {
    values: { ...external, push: { keda: { enabled: true } } },
    says: 'scaling.natsMonitoringEndpoint: host:port of the monitoring port',
  },
  { values: { chat: { replcas: 3 } }, says: "'/chat': additional properties 'replcas'" },
  { values: { image: { tg: 'x' } }, says: "'/image': additional properties 'tg'" },
  { values: { engine: { bundled: true } }, says: "additional properties 'engine'" },
  { values: { engines: { bundled: 'yes' } }, says: "'/engines/bundled'" },
  { values: { gateway: { replicas: -1 } }, says: "'/gateway/replicas'" },
  { values: { gateway: { service: { type: 'Public' } } }, says: "'/gateway/service/type'" },
  { values: { auth: { env: { LOGLEVEL: 'debug' } } }, says: "'/auth/env': additional properties 'LOGLEVEL'" },
  { values: { auth: { resources: { limits: { mem: '1Gi' } } } }, says: "'/auth/resources/limits'" },
  { values: { media: { service: { type: 'NodePort' } } }, says: "'/media': additional properties 'service'" },
  { values: { defaults: { egress: [{ cidr: 'anywhere', port: 443 }] } }, says: "'/defaults/egress/0/cidr'" },
  { values: { mtls: { issuer: 'vault' } }, says: "'/mtls/issuer'" },
  { values: { terminationGracePeriodSeconds: 10 }, says: "'/terminationGracePeriodSeconds'" },
  { values: { bundled: { mongodb: { storage: '8 gigabytes' } } }, says: "'/bundled/mongodb/storage'" },
  { values: { engines: { bundled: false } }, says: 'engines.mongodb: give url or existingSecret' },
  {
    values: {
      ...external,
      engines: { ...external.engines, s3: { endpoint: 'https://s3.example.com', accessKeyId: 'key' } },
    },
    says: 'engines.s3: accessKeyId and secretAccessKey belong together',
  },
  { values: { gatewayApi: { enabled: true } }, says: 'gatewayApi.parentRefs: name the Gateway' },
  { values: { auth: { keda: { enabled: true } } }, says: 'auth.keda.triggers: give at least one' },
  {
    values: {
      chat: { autoscaling: { enabled: true }, keda: { enabled: true, triggers: [{ type: 'cpu', metadata: {} }] } },
    },
    says: 'chat: autoscaling.enabled and keda.enabled exclude each other',
  },
  { values: { services: ['auth', 'calls'] }, says: 'calls has no settings of its own' },
];
