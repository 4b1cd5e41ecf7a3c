import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { newS3Secret, startEngines, type Engines } from './engines/engines.ts';
import { fcmStandIn } from './engines/fcm-stand-in.ts';
import type { ProcessHost } from './engines/process-host.ts';
import { cacheFolder } from './find/cache-folder.ts';
import { freePort } from './net/free-port.ts';
import { projectRoot } from './paths.ts';
import { explain, PlatformError } from './platform-error.ts';
import { Keeper } from './processes/keeper.ts';
import type { ProcessListener, SupervisedProcess } from './processes/supervised-process.ts';

/**
 * The engines alone, on free ports and with data that is removed at the end: what tests run against. Prints one
 * `export NAME=value` line per engine on stdout, then `ready`, and keeps them up until SIGINT or SIGTERM.
 *
 * Flags: `--exports-file FILE` also writes the lines there (Node takes `--env-file` for itself, even behind the name of
 * a script); `--with-parent` ends when stdin closes, so that a parent that was killed leaves nothing behind.
 */
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const listener: ProcessListener = {
  started: () => undefined,
  died: (name, how) => say(`${name} ${how}: restarting it`),
  restarted: (name, afterMs) => say(`${name} is back after ${afterMs} ms`),
  restartFailed: (name, reason) => say(`${name} does not come back: ${reason}`),
};

const exportLines = (engines: Engines, fcm: string): string => {
  const values = {
    TEST_MONGODB_URL: engines.mongodb,
    TEST_REDIS_URL: engines.redis,
    TEST_NATS_URL: engines.nats,
    TEST_S3_ENDPOINT: engines.s3.endpoint,
    TEST_S3_ACCESS_KEY_ID: engines.s3.accessKeyId,
    TEST_S3_SECRET_ACCESS_KEY: engines.s3.secretAccessKey,
    TEST_S3_REGION: engines.s3.region,
    TEST_FCM_ENDPOINT: fcm,
  };
  return Object.entries(values)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
};

const writeAtomically = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
};

const flags = parseArgs({ options: { 'exports-file': { type: 'string' }, 'with-parent': { type: 'boolean' } } }).values;
const exportsFile = flags['exports-file'];
const aborted = new AbortController();
const running: SupervisedProcess[] = [];
const dataDir = await mkdtemp(path.join(os.tmpdir(), 'bluewave-engines-'));
const keeper = new Keeper();
keeper.guardPath(dataDir);

let ending: Promise<never> | undefined;
const end = (code: number): Promise<never> => {
  ending ??= (async () => {
    aborted.abort(new PlatformError('stopped'));
    await Promise.all(running.map((one) => one.stop()));
    await keeper.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    if (exportsFile !== undefined) await rm(exportsFile, { force: true });
    process.exit(code);
  })();
  return ending;
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
if (flags['with-parent'] === true)
  process.stdin
    .resume()
    .once('end', () => void end(0))
    .once('error', () => void end(0));

try {
  const host: ProcessHost = { keeper, listener, dataDir, env: process.env };
  const context = {
    env: process.env,
    cacheDir: cacheFolder(process.env, projectRoot),
    platform: process.platform,
    arch: process.arch,
    say,
    signal: aborted.signal,
  };
  const engines = await startEngines(host, context, { s3Secret: newS3Secret() });
  running.push(...engines.processes);
  const fcm = fcmStandIn(host, await freePort());
  running.unshift(fcm.process);
  await fcm.process.start();
  const lines = exportLines(engines, fcm.url);
  if (exportsFile !== undefined) await writeAtomically(exportsFile, lines);
  process.stdout.write(`${lines}ready\n`);
} catch (error) {
  if (!aborted.signal.aborted) {
    const told = explain(error, 'starting the engines');
    say(told instanceof PlatformError ? told.message : (told.stack ?? told.message));
    await end(1);
  }
}
