import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform } from '@bluewave/dev-env/platform';
import { runChaos } from './run-chaos.ts';
import { runRolling } from './run-rolling.ts';

const usage = 'Usage: npm run chaos -- [--seconds 60 | --rolling] [--seed 1] [--keep]';

function readOptions(): { seconds: number; seed: number; keep: boolean; rolling: boolean } {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      rolling: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!Number.isInteger(seconds) || seconds < 5 || !Number.isInteger(seed)) throw new Error(usage);
  return { seconds, seed, keep: values.keep, rolling: values.rolling };
}

const options = readOptions();
const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-chaos-'));
const report = (line: string): void => void process.stderr.write(`${line}\n`);
report('starting the platform');
const platform = await startPlatform({ dataDir, limits: false, replicas: options.rolling ? 2 : 1 });
try {
  const result = await (options.rolling ? runRolling : runChaos)(platform, { ...options, report });
  console.log(JSON.stringify(result));
  process.exitCode = result.passed ? 0 : 1;
} finally {
  await platform.stop();
  if (options.keep) report(`the data stays in ${dataDir}`);
  else rmSync(dataDir, { recursive: true, force: true });
}
