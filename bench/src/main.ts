import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform } from '@bluewave/dev-env/platform';
import type { BenchPart } from './bench-options.ts';
import { measureConnectStorm } from './connect-storm.ts';
import { measureCrossGateway } from './cross-gateway.ts';
import { measureIdleSockets } from './idle-sockets.ts';
import { measureMessages } from './messages.ts';
import { measureReading } from './reading-times.ts';
import { measureSlowConsumers } from './slow-consumers.ts';
import { measureSync } from './sync-times.ts';

const parts: Record<string, BenchPart> = {
  messages: measureMessages,
  idle: measureIdleSockets,
  storm: measureConnectStorm,
  cross: measureCrossGateway,
  slow: measureSlowConsumers,
  sync: measureSync,
  reading: measureReading,
};

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'messages' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    size: { type: 'string' },
    keep: { type: 'boolean', default: false },
    data: { type: 'string' },
  },
});
const part = Object.hasOwn(parts, values.part) ? parts[values.part] : undefined;
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const size = values.size === undefined ? {} : { size: Number(values.size) };
if (!part || !(seconds > 0) || !Number.isInteger(rounds) || rounds < 1 || !((size.size ?? 2) % 2 === 0)) {
  const names = Object.keys(parts).join('|');
  throw new Error(
    `Usage: npm run bench -- [--part ${names}] [--seconds 8] [--rounds 3] [--size EVEN] [--keep] [--data FOLDER]`,
  );
}

const dataDir = values.data ?? mkdtempSync(join(tmpdir(), 'bluewave-bench-'));
const isKept = values.keep || values.data !== undefined;
const report = (line: string): void => void process.stderr.write(`${line}\n`);
// Long parts outlive an access token; nothing here is about refreshing it.
const env = { LOG_LEVEL: 'warn', ACCESS_TOKEN_SECONDS: '7200' };
const platform = await startPlatform({ dataDir, limits: false, env });
try {
  const figures = await part(platform, { seconds, rounds, ...size, report });
  const machine = {
    node: process.version,
    cores: cpus().length,
    loadAverage: loadavg().map((load) => Math.round(load)),
  };
  console.log(JSON.stringify({ part: values.part, ...machine, ...figures }));
} finally {
  await platform.stop();
  if (isKept) report(`data and logs stay in ${dataDir}`);
  else rmSync(dataDir, { recursive: true, force: true });
}
