import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform } from '@bluewave/dev-env/platform';
import { runNetworkChaos } from './run-network-chaos.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!Number.isInteger(seconds) || seconds < 5 || !Number.isInteger(seed)) {
  throw new Error('Usage: npm run chaos:network -- [--seconds 60] [--seed 1]');
}
const report = (line: string): void => void process.stderr.write(`${line}\n`);
const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-network-'));
report('starting the platform');
const platform = await startPlatform({ dataDir, limits: false });
try {
  const result = await runNetworkChaos(platform.gateways, { seconds, seed, report });
  console.log(JSON.stringify(result));
  process.exitCode = result.passed ? 0 : 1;
} finally {
  await platform.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
