import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Cluster } from './cluster.ts';
import { runCluster } from './run-cluster.ts';
import { runSuite } from './run-suite.ts';

const usage = `Usage: npm run e2e:cluster -- [--tag TAG] [--registry HOST] [--repository bluewave]
  [--rate 200] [--sockets 500] [--seed 1] [--namespace NAME] [--release bluewave] [--set NAME=VALUE]... [--values FILE]...
  [--service-type NodePort|LoadBalancer] [--url http://...] [--keep]
Works on the current kube context, in a namespace of its own, which it deletes afterwards unless --keep is given.`;

const root = fileURLToPath(new URL('../../../', import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      registry: { type: 'string' },
      repository: { type: 'string' },
      rate: { type: 'string', default: '200' },
      sockets: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      namespace: { type: 'string', default: `bluewave-e2e-${randomBytes(3).toString('hex')}` },
      release: { type: 'string', default: 'bluewave' },
      set: { type: 'string', multiple: true, default: [] },
      values: { type: 'string', multiple: true, default: [] },
      'service-type': { type: 'string', default: 'NodePort' },
      url: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const [perSecond, sockets, seed] = [Number(values.rate), Number(values.sockets), Number(values.seed)];
  const serviceType = values['service-type'];
  if (!(perSecond > 0) || !Number.isInteger(sockets) || sockets < 16 || !Number.isInteger(seed)) throw new Error(usage);
  if (serviceType !== 'NodePort' && serviceType !== 'LoadBalancer') throw new Error(usage);
  const images = Object.entries({
    'image.tag': values.tag,
    'image.registry': values.registry,
    'image.repository': values.repository,
  });
  const helmArgs = [
    ...images.flatMap(([name, value]) => (value === undefined ? [] : ['--set', `${name}=${value}`])),
    ...values.values.flatMap((file) => ['--values', file]),
    ...values.set.flatMap((pair) => ['--set', pair]),
  ];
  const { namespace, release, url, keep } = values;
  return { namespace, release, keep, run: { url, serviceType, perSecond, sockets, seed, helmArgs } as const };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

const { namespace, release, keep, run } = readOptions();
const report = (line: string): void => void process.stderr.write(`${line}\n`);
const tools = { helm: process.env['HELM'] ?? 'helm', kubectl: process.env['KUBECTL'] ?? 'kubectl' };
const cluster = new Cluster({ ...tools, namespace, release });
report(`namespace ${namespace}`);
try {
  const result = await runCluster(cluster, {
    ...run,
    chart: join(root, 'helm/bluewave'),
    s3Port: await freePort(),
    suite: (url) => runSuite(root, url),
    report,
  });
  process.exitCode = result.passed ? 0 : 1;
  const { perSecond, sockets } = run;
  process.stdout.write(`${JSON.stringify({ perSecond, sockets, ...result })}\n`);
} catch (error) {
  report(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  if (keep) report(`namespace ${namespace} stays`);
  else await cluster.deleteNamespace().catch((error: unknown) => report(String(error)));
}
// Sockets and port-forwards that a failed step left open do not hold the process.
process.exit();
