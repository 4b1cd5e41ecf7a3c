// Plain JavaScript: jest loads its global setup outside of its ESM transform.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const enginesMain = fileURLToPath(new URL('./dist/engines-main.js', import.meta.url));

const given = ['TEST_MONGODB_URL', 'TEST_REDIS_URL', 'TEST_NATS_URL', 'TEST_S3_ENDPOINT', 'TEST_FCM_ENDPOINT'];

const buildWhenMissing = () => {
  if (existsSync(enginesMain)) return;
  const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'packages/dev-env'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (built.status !== 0) throw new Error('packages/dev-env does not build');
};

/**
 * Brings real engines up for the tests and exports their addresses as TEST_*; does nothing when they are set already.
 * The engines end with this process, however it ends: they watch the pipe to it.
 */
export default async function globalSetup() {
  if (given.every((name) => process.env[name])) return;
  buildWhenMissing();
  const engines = spawn(process.execPath, [enginesMain, '--with-parent'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  globalThis.bluewaveEngines = engines;
  const ended = new Promise((_, reject) => {
    engines.once('exit', (code) => reject(new Error(`the engines ended with code ${code}: see above`)));
  });
  await Promise.race([exportsOf(engines), ended]);
  ended.catch(() => undefined);
  // Neither the process nor its pipes keep jest from ending.
  for (const one of [engines, engines.stdin, engines.stdout]) one.unref();
}

/** Puts the printed `export NAME='value'` lines into the environment, until `ready`. */
const exportsOf = async (engines) => {
  for await (const line of createInterface({ input: engines.stdout })) {
    if (line === 'ready') return;
    const [, name, value] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
    if (name) process.env[name] = value;
  }
};
