// Holds the chart against the services' own list of variables: services/<name>/src/config.ts and the common one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartPath, root } from './chart.mjs';

/** Set through `envFromSecrets` (a Secret of the user's), or not at all in a cluster; named in docs/operations.md. */
const fromSecrets = new Set([
  'TOKEN_KEYS',
  'SMTP_URL',
  'CODE_WEBHOOK_SECRET',
  'POLICY_WEBHOOK_SECRET',
  'GOOGLE_APPLICATION_CREDENTIALS',
]);
const fixed = new Set(['BIND_HOST']);

const variablesIn = (path) =>
  [...readFileSync(path, 'utf8').matchAll(/^\s+([A-Z][A-Z0-9_]{2,}): /gm)].map(([, name]) => name);

/** Names that the rendering gives to a service, in its ConfigMap or its container. */
function renderedNames(objects, service, release) {
  const named = (kind) =>
    objects.find((object) => object.kind === kind && object.metadata.name === `${release}-${service}`);
  const [container] = named('Deployment').spec.template.spec.containers;
  return [...Object.keys(named('ConfigMap').data), ...(container.env ?? []).map((variable) => variable.name)];
}

/**
 * Findings, one line each: a variable that the chart cannot set, or one that it gives and no service reads.
 * @param objects a rendering with default values
 */
export function environmentFindings(objects, release = 'bluewave') {
  const schema = JSON.parse(readFileSync(join(chartPath, 'values.schema.json'), 'utf8'));
  const settable = new Set(Object.keys(schema.$defs.service.properties.env.properties));
  const common = variablesIn(join(root, 'packages/runtime/src/config.ts'));
  const ofRecords = variablesIn(join(root, 'packages/mongo/src/environment.ts'));
  const services = readdirSync(join(root, 'services'));
  const renderedForAny = new Set(services.flatMap((service) => renderedNames(objects, service, release)));
  const findings = [];
  const readByAny = new Set();
  for (const service of services) {
    const config = join(root, 'services', service, 'src/config.ts');
    if (!existsSync(config)) {
      findings.push(`services/${service} has no src/config.ts`);
      continue;
    }
    const keepsRecords = readFileSync(config, 'utf8').includes('...mongoEnvironment');
    const reads = new Set([...common, ...(keepsRecords ? ofRecords : []), ...variablesIn(config)]);
    const rendered = renderedNames(objects, service, release);
    for (const name of reads) {
      readByAny.add(name);
      // What all services read, not all of them need: the gateway has no callers to allow.
      const given = common.includes(name) ? renderedForAny.has(name) : rendered.includes(name);
      const known = given || settable.has(name) || fromSecrets.has(name) || fixed.has(name) || name.endsWith('_FILE');
      if (!known) findings.push(`services/${service} reads ${name}: the chart cannot set it (values.schema.json)`);
    }
    // A password is only there to be put into a URL.
    const unread = rendered.filter((name) => !reads.has(name) && !name.endsWith('_PASSWORD'));
    findings.push(...unread.map((name) => `the chart sets ${name} for ${service}, which does not read it`));
  }
  const stale = [...settable].filter((name) => !readByAny.has(name));
  return [...findings, ...stale.map((name) => `values.schema.json allows ${name}, which no service reads`)];
}
