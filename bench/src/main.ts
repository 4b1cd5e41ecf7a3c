import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform } from '@bluewave/dev-env/platform';
import { median, runBench } from './run-bench.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '3' } },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
if (!(seconds > 0) || !Number.isInteger(rounds) || rounds < 1) {
  throw new Error('Usage: npm run bench -- [--seconds 8] [--rounds 3]');
}

const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-bench-'));
const report = (line: string): void => void process.stderr.write(`${line}\n`);
const platform = await startPlatform({ dataDir, limits: false, env: { LOG_LEVEL: 'warn' } });
try {
  const figures = await runBench(platform, { seconds, rounds, report });
  const platformRate = median(figures.turns.map((turn) => turn.platform.ackedPerSecond));
  const relayRate = median(figures.turns.map((turn) => turn.relay.ackedPerSecond));
  const cpuMicros = median(figures.turns.map((turn) => turn.platform.cpuMicrosPerMessage.total));
  const goals = {
    rateToRelay: { value: Math.round((platformRate / relayRate) * 1_000) / 1_000, atLeast: 0.25 },
    cpuMicrosPerMessage: { value: cpuMicros, atMost: 220 },
    openLoopAckP50Ms: { value: figures.open.ack.p50, below: 3 },
    openLoopAckP99Ms: { value: figures.open.ack.p99, below: 10 },
  };
  console.log(
    JSON.stringify({ node: process.version, cores: cpus().length, platformRate, relayRate, goals, ...figures }),
  );
} finally {
  await platform.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
