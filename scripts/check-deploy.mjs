// npm run check:deploy: everything under helm/, k8s/ and skaffold.yaml, with the real helm and kubectl and without a
// cluster. Prints one line a step and ends with 1 at the first step that finds something.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertFindings, testAlerts } from './deploy/alert-rules.mjs';
import { chartPath, nameOf, parseObjects, renderObjects, root, template } from './deploy/chart.mjs';
import { environmentFindings } from './deploy/environment-rules.mjs';
import { same } from './deploy/json-patch.mjs';
import { overlays, renderKustomization } from './deploy/kustomization.mjs';
import { arrowFindings } from './deploy/network-arrows.mjs';
import { doorFindings, objectFindings } from './deploy/object-rules.mjs';
import { mistakes, scenarios } from './deploy/scenarios.mjs';
import { skaffoldFindings } from './deploy/skaffold-rules.mjs';
import { createObjectValidator } from './deploy/strict-schema.mjs';
import { CheckError, findKubernetesTools, lastLine, run } from './deploy/tools.mjs';
import { tableIsFresh } from './deploy/values-table.mjs';

const shownFindings = 20;

/** Runs one step; what it returns is said behind its name. @throws CheckError with its findings. */
async function step(name, work) {
  const started = performance.now();
  const said = await work();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  process.stdout.write(`ok   ${name}${said ? ` (${said})` : ''} ${seconds} s\n`);
}

function refuse(findings) {
  if (findings.length === 0) return;
  const more = findings.length > shownFindings ? [`... and ${findings.length - shownFindings} more`] : [];
  throw new CheckError([...findings.slice(0, shownFindings), ...more].join('\n     '));
}

async function lint(helm) {
  const { code, stdout, stderr } = await run(helm, ['lint', '--strict', chartPath]);
  if (code !== 0) throw new CheckError(`helm lint: ${(stdout + stderr).trim()}`);
}

/** Renders each set of values and holds the objects against the schemas and the rules. */
async function renderings(helm, validate) {
  let count = 0;
  for (const { name, values, secrets } of scenarios) {
    const objects = await renderObjects(helm, values);
    count += objects.length;
    const policies = values.networkPolicy?.enabled !== false;
    const bundled = values.engines?.bundled !== false;
    const findings = [
      ...objects.flatMap(validate),
      ...objectFindings(objects, { secrets, writableRoot: values.dev?.enabled === true }),
      ...doorFindings(objects),
      ...(policies ? arrowFindings(objects, { bundled }) : []),
    ];
    refuse(findings.map((finding) => `${name}: ${finding}`));
  }
  return `${scenarios.length} sets of values, ${count} objects`;
}

async function refusals(helm) {
  const findings = [];
  for (const { values, says } of mistakes) {
    const { code, stderr } = await template(helm, values);
    if (code === 0) findings.push(`accepted: ${JSON.stringify(values)}`);
    else if (!stderr.includes(says))
      findings.push(`not refused with "${says}" but: ${stderr.trim().replace(/\s+/g, ' ')}`);
  }
  refuse(findings);
  return `${mistakes.length} mistakes`;
}

function driftFindings(files) {
  const folder = join(root, 'k8s');
  const there = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const paths = there
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const known = new Set([...Object.keys(files), 'README.md']);
  const strange = paths.filter((path) => !known.has(path)).map((path) => `k8s/${path} is not rendered from the chart`);
  const stale = Object.entries(files)
    .filter(([path, text]) => !paths.includes(path) || readFileSync(join(folder, path), 'utf8') !== text)
    .map(([path]) => `k8s/${path} is not what the chart renders`);
  const findings = [...strange, ...stale];
  return findings.length > 0 ? [...findings, 'run: node scripts/deploy/render-k8s.mjs'] : [];
}

/** kustomize builds each overlay, and it is object by object what the chart renders with the overlay's values. */
async function kustomizations({ helm, kubectl }, validate) {
  const { files, expected } = await renderKustomization(helm);
  refuse(driftFindings(files));
  let count = 0;
  for (const name of ['base', ...Object.keys(overlays).map((overlay) => `overlays/${overlay}`)]) {
    const { code, stdout, stderr } = await run(kubectl, ['kustomize', join(root, 'k8s', name)]);
    if (code !== 0) throw new CheckError(`kubectl kustomize k8s/${name}: ${lastLine(stderr)}`);
    const objects = parseObjects(stdout, `k8s/${name}`);
    count += objects.length;
    refuse(objects.flatMap(validate).map((finding) => `k8s/${name}: ${finding}`));
    const wanted = expected[name.slice('overlays/'.length)];
    if (!wanted) continue;
    const built = new Map(objects.map((object) => [nameOf(object), object]));
    const inNamespace = (object) => ({ ...object, metadata: { ...object.metadata, namespace: 'bluewave' } });
    const others = wanted.filter((object) => !same(built.get(nameOf(object)), inNamespace(object))).map(nameOf);
    if (built.size !== wanted.length + 1) others.push(`${built.size} objects instead of ${wanted.length + 1}`);
    refuse(others.map((other) => `k8s/${name}: ${other} is not what the chart renders`));
  }
  return `${count} objects`;
}

async function skaffold(helm, validate) {
  const { findings, values } = skaffoldFindings();
  refuse(findings);
  const objects = await renderObjects(helm, values);
  refuse(objects.flatMap(validate).map((finding) => `skaffold's values: ${finding}`));
}

async function ownTests() {
  const { code, stdout, stderr } = await run(process.execPath, [
    '--test',
    '--test-reporter=tap',
    join(root, 'scripts/deploy/test/'),
  ]);
  const failed = [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name);
  if (code !== 0)
    throw new CheckError(`node --test scripts/deploy/test: ${[...failed, lastLine(stderr)].join('\n     ')}`);
  return `${/^# pass (\d+)$/m.exec(stdout)?.[1]} tests`;
}

async function main() {
  const tools = await findKubernetesTools();
  const validate = createObjectValidator();
  await step('helm lint', () => lint(tools.helm));
  await step('rendered objects: schemas, restricted pods, references, network arrows', () =>
    renderings(tools.helm, validate),
  );
  await step('wrong values are refused', () => refusals(tools.helm));
  await step('environment: the chart can set what the services read', async () =>
    refuse(environmentFindings(await renderObjects(tools.helm, {}))),
  );
  await step('k8s/: no drift, kustomize builds it', () => kustomizations(tools, validate));
  await step('table of values', async () => {
    if (!(await tableIsFresh())) refuse(['helm/bluewave/README.md is stale: node scripts/deploy/values-table.mjs']);
  });
  await step('skaffold.yaml', () => skaffold(tools.helm, validate));
  await step('alerts and dashboards: runbooks, metrics', async () => refuse(await alertFindings()));
  await step('alerts: promtool', testAlerts);
  // Last: they start from a good rendering, so that what is wrong with it was said above.
  await step('the checks themselves', ownTests);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof CheckError)) throw error;
  process.stderr.write(`FAIL ${error.message}\n`);
  process.exitCode = 1;
}
