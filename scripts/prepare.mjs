// What `npm start`, `npm test` and `npm run chaos|bench` do first: a fresh clone becomes something that runs. Plain
// JavaScript without dependencies, since nothing may be installed yet.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 19];

/** A failure that one sentence explains. */
class Refusal extends Error {}

const checkNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Refusal(`Bluewave needs Node.js ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node}.`);
};

/** Runs a program of the preparation; ends it, and this process, when a signal comes. */
const run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const stop = (signal) => {
      child.kill(signal);
      child.once('exit', () => process.exit(0));
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, stop);
    const done = () => {
      for (const signal of signals) process.off(signal, stop);
    };
    child.once('error', (error) => {
      done();
      reject(new Refusal(`${command} could not be run: ${error.message}.`));
    });
    child.once('exit', (code) => {
      done();
      resolve(code ?? 1);
    });
  });

/** npm as it was called, else the one on PATH. */
const npm = (args) =>
  process.env.npm_execpath?.endsWith('.js')
    ? run(process.execPath, [process.env.npm_execpath, ...args])
    : run('npm', args, { shell: process.platform === 'win32' });

const readLock = (...file) => {
  try {
    return JSON.parse(readFileSync(path.join(root, ...file), 'utf8')).packages;
  } catch {
    return undefined;
  }
};

/** Whether node_modules holds what the lock file names; packages for other systems may be absent. */
const isInstalled = () => {
  const wanted = readLock('package-lock.json');
  const installed = readLock('node_modules', '.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([place, { version, optional }]) => {
    if (!place.includes('node_modules/')) return true;
    return installed[place] === undefined ? optional === true : installed[place].version === version;
  });
};

const install = async () => {
  if (isInstalled()) return;
  process.stderr.write('Installing packages (once, about a minute)\n');
  const code = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) throw new Refusal('The packages could not be installed: npm says above why.');
};

/** Generates and compiles what changed. */
const build = async (projects) => {
  const first = !existsSync(path.join(root, 'packages', 'dev-env', 'dist', 'main.js'));
  if (first) process.stderr.write('Building (once, a few seconds)\n');
  if ((await run(process.execPath, [path.join(root, 'scripts', 'generate.mjs')])) !== 0)
    throw new Refusal('The types of the protos could not be generated.');
  await import('./drop-stale.mjs');
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if ((await run(process.execPath, [compiler, '-b', ...projects])) !== 0)
    throw new Refusal('The sources do not compile: see above.');
};

/** What the platform consists of. */
export const platformProjects = [
  'packages/dev-env',
  ...['auth', 'chat', 'gateway', 'media', 'push'].map((name) => `services/${name}`),
];

/**
 * Installs, generates and builds as far as needed, and ends the process with one sentence when that fails.
 *
 * @param projects the TypeScript projects to build, from the root of the repository; none builds all
 */
export const prepare = async (projects = []) => {
  try {
    checkNode();
    await install();
    await build(projects);
  } catch (error) {
    const full = error.code === 'ENOSPC' ? 'The disk is full: free some space and try again.' : undefined;
    process.stderr.write(`${full ?? (error instanceof Refusal ? error.message : error.stack)}\n`);
    process.exit(1);
  }
};

/** Reads `.env` of the repository, when there is one; what is set already wins. */
export const loadSettings = () => {
  const file = path.join(root, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
};
