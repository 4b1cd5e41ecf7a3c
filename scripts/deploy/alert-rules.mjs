// The alerts: each leads to a runbook that exists, each metric is one that the services make, and promtool agrees.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chartPath, root } from './chart.mjs';
import { findPromtool } from './promtool.mjs';
import { CheckError, run } from './tools.mjs';

const alertsPath = join(chartPath, 'files/alerts.yaml');
const dashboards = join(chartPath, 'files/dashboards');
const words = new Set([
  'and',
  'or',
  'unless',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'bool',
  'offset',
  'inf',
  'nan',
]);

/** The metric names in a PromQL expression. */
export function metricsIn(expression) {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)(?!\s*\(|\w)/g)]
    .map(([, name]) => name)
    .filter((name) => !words.has(name));
}

/** Anchors of a Markdown file's headings, as its readers' tools make them. */
const anchorsOf = (text) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replace(/\s/g, '-'),
  );

async function knownMetrics() {
  const require = createRequire(join(root, 'packages/runtime/package.json'));
  const { collectDefaultMetrics, Registry } = require('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const names = new Set(['up', ...registry.getMetricsAsArray().map((metric) => metric.name)]);
  registry.clear();
  for (const folder of ['packages', 'services']) {
    for (const name of readdirSync(join(root, folder))) {
      const source = join(root, folder, name, 'src');
      for (const file of readdirSync(source, { recursive: true })
        .map(String)
        .filter((path) => path.endsWith('.ts'))) {
        for (const [, literal] of readFileSync(join(source, file), 'utf8').matchAll(/'(bluewave_[a-z0-9_]+)'/g))
          names.add(literal);
      }
    }
  }
  return names;
}

function queriesOf(dashboard) {
  const targets = (panel) => [
    ...(panel.targets ?? []).map((target) => target.expr),
    ...(panel.panels ?? []).flatMap(targets),
  ];
  return dashboard.panels.flatMap(targets);
}

/** Findings about alerts and dashboards, one line each. */
export async function alertFindings() {
  const known = await knownMetrics();
  const isKnown = (name) => known.has(name) || known.has(name.replace(/_(bucket|count|sum)$/, ''));
  const anchors = new Set(anchorsOf(readFileSync(join(root, 'docs/operations.md'), 'utf8')));
  const rules = parse(readFileSync(alertsPath, 'utf8')).groups.flatMap((group) => group.rules);
  const findings = [];
  for (const { alert, expr, annotations, labels } of rules) {
    const anchor = annotations?.runbook_url?.split('#')[1];
    if (!anchors.has(anchor)) findings.push(`alert ${alert}: docs/operations.md has no #${anchor}`);
    if (!annotations?.summary || !annotations.description)
      findings.push(`alert ${alert}: needs summary and description`);
    if (!['critical', 'warning'].includes(labels?.severity))
      findings.push(`alert ${alert}: severity ${labels?.severity}`);
    for (const name of metricsIn(expr)) if (!isKnown(name)) findings.push(`alert ${alert}: no service makes ${name}`);
  }
  for (const file of readdirSync(dashboards)) {
    for (const expr of queriesOf(JSON.parse(readFileSync(join(dashboards, file), 'utf8')))) {
      for (const name of metricsIn(expr))
        if (!isKnown(name)) findings.push(`dashboard ${file}: no service makes ${name}`);
    }
  }
  const tested = readFileSync(join(root, 'scripts/deploy/alerts.test.yaml'), 'utf8');
  const untested = rules.filter(({ alert }) => !tested.includes(`alertname: ${alert}`));
  return [
    ...findings,
    ...untested.map(({ alert }) => `alert ${alert}: has no test in scripts/deploy/alerts.test.yaml`),
  ];
}

/** Runs `promtool test rules`. @returns what to say. @throws CheckError when an alert behaves otherwise. */
export async function testAlerts() {
  const { path: promtool, reason } = await findPromtool();
  if (!promtool) return `skipped: ${reason}`;
  const folder = mkdtempSync(join(tmpdir(), 'bluewave-alerts-'));
  try {
    const tests = readFileSync(join(root, 'scripts/deploy/alerts.test.yaml'), 'utf8');
    writeFileSync(join(folder, 'alerts.yaml'), readFileSync(alertsPath));
    writeFileSync(join(folder, 'alerts.test.yaml'), tests);
    const { code, stdout, stderr } = await run(promtool, ['test', 'rules', join(folder, 'alerts.test.yaml')]);
    if (code !== 0) throw new CheckError(`promtool test rules: ${(stdout + stderr).trim()}`);
    return `${parse(tests).tests.length} tests`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
