// Makes the checked-in schemas from their sources, without descriptions and with unknown keys refused:
//   node scripts/deploy/reduce-schemas.mjs kubernetes SWAGGER_JSON > scripts/deploy/schemas/kubernetes.json
//   node scripts/deploy/reduce-schemas.mjs skaffold SCHEMA_JSON    > scripts/deploy/schemas/skaffold.json
// Sources: api/openapi-spec/swagger.json of kubernetes/kubernetes, and docs-v2/content/en/schemas/<version>.json of
// GoogleContainerTools/skaffold; schemas/README.md names the versions that are checked in.
import { readFileSync } from 'node:fs';

/** The kinds that the chart renders, as group/version/kind. */
const kinds = [
  'v1/ConfigMap',
  'v1/Namespace',
  'v1/PersistentVolumeClaim',
  'v1/Pod',
  'v1/Secret',
  'v1/Service',
  'v1/ServiceAccount',
  'apps/v1/Deployment',
  'apps/v1/StatefulSet',
  'autoscaling/v2/HorizontalPodAutoscaler',
  'batch/v1/Job',
  'networking.k8s.io/v1/Ingress',
  'networking.k8s.io/v1/NetworkPolicy',
  'policy/v1/PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1/Role',
  'rbac.authorization.k8s.io/v1/RoleBinding',
];

const prefix = '#/definitions/';

function withoutProse(schema) {
  if (Array.isArray(schema)) return schema.map(withoutProse);
  if (schema === null || typeof schema !== 'object') return schema;
  const kept = Object.entries(schema).filter(
    ([key, value]) => !key.startsWith('x-') && (key !== 'description' || typeof value !== 'string'),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutProse(value)]));
}

/** Every definition that the given ones need. */
function reachable(definitions, roots) {
  const found = new Map();
  const waiting = [...roots];
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (found.has(name)) continue;
    found.set(name, definitions[name]);
    const text = JSON.stringify(definitions[name]);
    for (const [, next] of text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) waiting.push(next);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the API server reads more widely than the specification's `type: string` says. */
function special(name, schema) {
  if (name.endsWith('.util.intstr.IntOrString')) return { type: ['string', 'integer'] };
  if (name.endsWith('.api.resource.Quantity')) return { type: ['string', 'number'] };
  if (schema.properties) return { ...schema, additionalProperties: false };
  return schema;
}

function kubernetes(source) {
  const byKind = {};
  for (const [name, schema] of Object.entries(source.definitions)) {
    for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? []) {
      const key = [group, version, kind].filter(Boolean).join('/');
      if (kinds.includes(key)) byKind[key] = name;
    }
  }
  const missing = kinds.filter((kind) => !byKind[kind]);
  if (missing.length > 0) throw new Error(`no definition of ${missing.join(', ')}`);
  const needed = withoutProse(reachable(source.definitions, Object.values(byKind)));
  const definitions = Object.fromEntries(Object.entries(needed).map(([name, schema]) => [name, special(name, schema)]));
  const sorted = Object.fromEntries(kinds.map((kind) => [kind, { $ref: prefix + byKind[kind] }]));
  return { version: source.info.version, kinds: sorted, definitions };
}

const [format, path] = process.argv.slice(2);
const source = JSON.parse(readFileSync(path, 'utf8'));
const reduced = format === 'kubernetes' ? kubernetes(source) : withoutProse(source);
process.stdout.write(JSON.stringify(reduced, undefined, 1) + '\n');
