// What skaffold's schema cannot say: every service is built, deployed and synced, and the values that it sets exist.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { root } from './chart.mjs';
import { createSkaffoldValidator } from './strict-schema.mjs';

function artifactFindings(artifacts, where, services, dockerfile) {
  const findings = [];
  const images = (artifacts ?? []).map((artifact) => artifact.image).sort();
  const wanted = services.map((service) => `bluewave/${service}`);
  if (images.join() !== wanted.join())
    findings.push(`skaffold.yaml ${where}: builds ${images.join(' ')}, not ${wanted.join(' ')}`);
  for (const { image, docker, sync } of artifacts ?? []) {
    if (image !== `bluewave/${docker?.buildArgs?.SERVICE}`)
      findings.push(`skaffold.yaml ${where}: ${image} builds another service`);
    if (!dockerfile.includes(` AS ${docker?.target}\n`))
      findings.push(`skaffold.yaml ${where}: ${image}: no stage ${docker?.target}`);
    if (docker?.target === 'dev' && !sync?.manual) findings.push(`skaffold.yaml ${where}: ${image} syncs nothing`);
  }
  return findings;
}

/**
 * Findings about skaffold.yaml, one line each.
 * @returns {findings, values}: `values` are the chart values that its dev profile sets, as an object
 */
export function skaffoldFindings() {
  const document = parseDocument(readFileSync(join(root, 'skaffold.yaml'), 'utf8'), { uniqueKeys: true });
  if (document.errors.length > 0)
    return { findings: [`skaffold.yaml: ${document.errors[0].message.split('\n')[0]}`], values: {} };
  const config = document.toJS();
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const services = readdirSync(join(root, 'services')).sort();
  const [release] = config.deploy?.helm?.releases ?? [];
  const images = services.map((service) => `${service}.image`);
  const dev = config.profiles?.find((profile) => profile.name === 'dev');
  const findings = [
    ...createSkaffoldValidator()(config),
    ...artifactFindings(config.build?.artifacts, 'build', services, dockerfile),
    ...artifactFindings(dev?.build?.artifacts, 'profile dev', services, dockerfile),
    ...images
      .filter((name) => !(name in (release?.setValueTemplates ?? {})))
      .map((name) => `skaffold.yaml: sets no ${name}`),
  ];
  const patch = dev?.patches?.find(({ path }) => path === '/deploy/helm/releases/0/setValues');
  const values = {};
  for (const [path, value] of Object.entries(patch?.value ?? {})) {
    const keys = path.split('.');
    const last = keys.pop();
    let at = values;
    for (const key of keys) at = at[key] ??= {};
    at[last] = value;
  }
  return { findings, values };
}
