// What k8s/ holds: a base and overlays, rendered from the chart. An overlay is the base, patched until it is exactly
// what the chart renders with the overlay's values.
import { stringify } from 'yaml';
import { nameOf, renderObjects } from './chart.mjs';
import { difference, same } from './json-patch.mjs';

const release = 'bluewave';
const header =
  '# Rendered from helm/bluewave by `node scripts/deploy/render-k8s.mjs`: change the chart, then run that.\n';

/** Secrets are never rendered: prod takes them from the cluster, dev makes the demo's in its own kustomization. */
const shared = {
  engines: {
    bundled: false,
    mongodb: { existingSecret: 'bluewave-mongodb', keyPerService: true },
    redis: { existingSecret: 'bluewave-redis', keyPerService: true },
    nats: { existingSecret: 'bluewave-nats', keyPerService: true },
    s3: { endpoint: 'https://s3.example.com', existingSecret: 'bluewave-s3' },
  },
  auth: { secretFiles: { tokenKeys: { existingSecret: 'bluewave-token-keys' } } },
  push: { secretFiles: { fcm: { existingSecret: 'bluewave-firebase' } } },
  mtls: { enabled: false },
  tests: { enabled: false },
};

const prod = {
  ...shared,
  mtls: { enabled: true, issuer: 'cert-manager' },
  auth: { ...shared.auth, autoscaling: { enabled: true } },
  chat: { autoscaling: { enabled: true, minReplicas: 3 } },
  gateway: { autoscaling: { enabled: true, minReplicas: 3 } },
  media: { autoscaling: { enabled: true } },
  push: { ...shared.push, autoscaling: { enabled: true } },
};

const dev = {
  environment: 'development',
  mtls: { enabled: false },
  tests: { enabled: false },
  defaults: { replicas: 1 },
  gateway: { replicas: 2 },
  // Known to everybody who reads this file: the demo's engines are for a cluster of one's own.
  bundled: { password: 'bluewavedemo' },
  auth: {
    env: { DEV_ECHO_CODES: 'true' },
    // Without a key in a file, auth makes one and keeps it in its database (development only).
    secretFiles: { tokenKeys: { env: 'TOKEN_KEYS_FILE', file: 'token-keys.pem', generate: false } },
  },
};

export const overlays = {
  dev: { values: dev, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  prod: { values: prod, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

/** Objects of a rendering without Helm's own marks; hooks are Helm's alone. */
async function objectsOf(helm, values) {
  const objects = await renderObjects(helm, values, { release, namespace: release });
  const kept = objects.filter((object) => object.metadata.annotations?.['helm.sh/hook'] === undefined);
  const text = JSON.stringify(kept).replaceAll(
    '"app.kubernetes.io/managed-by":"Helm"',
    '"app.kubernetes.io/managed-by":"kustomize"',
  );
  return JSON.parse(text).map((object) => {
    delete object.metadata.labels['helm.sh/chart'];
    return object;
  });
}

const fileOf = (object) => `${object.metadata.name.replace(/^bluewave-/, '')}-${object.kind.toLowerCase()}.yaml`;
const yaml = (value) => header + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const key = (object) => `${object.apiVersion}/${nameOf(object)}`;

function overlayFiles(name, base, objects) {
  const before = new Map(base.map((object) => [key(object), object]));
  const after = new Map(objects.map((object) => [key(object), object]));
  const added = objects.filter((object) => !before.has(key(object)));
  const patches = [];
  for (const object of base) {
    const { apiVersion, kind } = object;
    const target = {
      group: apiVersion.includes('/') ? apiVersion.split('/')[0] : '',
      version: apiVersion.split('/').at(-1),
      kind,
    };
    const named = { ...target, name: object.metadata.name };
    const wanted = after.get(key(object));
    const removal = { apiVersion, kind, metadata: { name: object.metadata.name }, $patch: 'delete' };
    if (!wanted) patches.push({ target: named, patch: stringify(removal) });
    else if (!same(object, wanted))
      patches.push({ target: named, patch: stringify(difference(object, wanted), { lineWidth: 0 }) });
  }
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: release, labels: overlays[name].labels } };
  const resources = ['../../base', 'namespace.yaml', ...added.map(fileOf).sort()];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: release,
    resources,
    patches,
  };
  return {
    [`overlays/${name}/kustomization.yaml`]: yaml(kustomization),
    [`overlays/${name}/namespace.yaml`]: yaml(space),
    ...Object.fromEntries(added.map((object) => [`overlays/${name}/${fileOf(object)}`, yaml(object)])),
  };
}

/**
 * Everything under k8s/.
 * @returns {files: path -> text, expected: overlay -> objects that kustomize has to build}
 */
export async function renderKustomization(helm) {
  const base = await objectsOf(helm, shared);
  const resources = base.map(fileOf).sort();
  const files = Object.fromEntries(base.map((object) => [`base/${fileOf(object)}`, yaml(object)]));
  files['base/kustomization.yaml'] = yaml({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
  });
  const expected = {};
  for (const [name, { values }] of Object.entries(overlays)) {
    const objects = await objectsOf(helm, values);
    expected[name] = objects;
    Object.assign(files, overlayFiles(name, base, objects));
  }
  return { files, expected };
}
