// Renders the chart with a real helm.
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { CheckError, run } from './tools.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const chartPath = fileURLToPath(new URL('../../helm/bluewave', import.meta.url));

/** The documents of a YAML stream as objects; empty ones dropped. @throws CheckError naming the line of an error. */
export function parseObjects(text, source) {
  return parseAllDocuments(text, { uniqueKeys: true })
    .map((document) => {
      const [error] = document.errors;
      if (error) throw new CheckError(`${source}: ${error.message.split('\n')[0]}`);
      return document.toJS();
    })
    .filter((object) => object !== null && object !== undefined);
}

/**
 * `helm template` with values as an object.
 * @returns {code, stdout, stderr}
 */
export function template(helm, values, { release = 'bluewave', namespace = 'bluewave', args = [] } = {}) {
  const flags = ['template', release, chartPath, '--namespace', namespace, '--values', '-', ...args];
  return run(helm, flags, { input: JSON.stringify(values) });
}

/** The objects that the chart renders. @throws CheckError with helm's own words. */
export async function renderObjects(helm, values, options) {
  const { code, stdout, stderr } = await template(helm, values, options);
  if (code !== 0) throw new CheckError(`helm template: ${stderr.trim().replace(/\s+/g, ' ')}`);
  return parseObjects(stdout, 'helm template');
}

/** `Deployment/bluewave-chat`: how findings name an object. */
export const nameOf = (object) => `${object.kind}/${object.metadata?.name}`;

/** The pod template of a workload, or undefined. */
export function podOf(object) {
  if (object.kind === 'Pod') return { metadata: object.metadata, spec: object.spec };
  return object.spec?.template?.spec ? object.spec.template : undefined;
}
