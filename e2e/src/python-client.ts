import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder, fillCache } from '@bluewave/dev-env/find/cache-folder';
import { lastLine, type LocateContext } from '@bluewave/dev-env/find/locate';
import { findOnPath } from '@bluewave/dev-env/find/on-path';
import { pipCommand } from '@bluewave/dev-env/find/pip-command';
import { runTool } from '@bluewave/dev-env/processes/run-tool';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = join(root, 'e2e', 'python');
const requirements = join(sources, 'requirements.txt');
const installMs = 3 * 60_000;
const answerMs = 15_000;

const wayOut =
  'This test drives the platform with python-socketio. Install Python 3.10 or later with pip, or leave the test out with BLUEWAVE_TEST_PYTHON=off.';

export type PythonRuntime = { command: string; packages: string };

/**
 * Python and the packages of `e2e/python/requirements.txt`, installed once into the cache folder and nowhere else.
 *
 * @throws Error that says what to install
 */
export async function pythonRuntime(): Promise<PythonRuntime> {
  const { env } = process;
  const context: LocateContext = {
    env,
    cacheDir: cacheFolder(env, root),
    platform: process.platform,
    arch: process.arch,
    say: () => undefined,
  };
  const command = await findOnPath(context, 'python3');
  if (command === undefined) throw new Error(`There is no python3 on PATH. ${wayOut}`);
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const name = `python-client-${version}`;
  const packages = join(context.cacheDir, name);
  const isThere = await runTool(command, ['-c', 'import socketio, websocket, requests'], {
    env: { ...env, PYTHONPATH: packages },
    timeoutMs: 30_000,
  });
  if (isThere.code === 0) return { command, packages };
  let problem = 'there is no pip';
  await fillCache(context.cacheDir, name, async (folder) => {
    const [pip, ...before] = (await pipCommand(context)) ?? [];
    if (pip === undefined) return false;
    const what = ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes'];
    const args = [...before, ...what, '--only-binary', ':all:', '--target', folder, '--requirement', requirements];
    const { code, output } = await runTool(pip, args, { env, timeoutMs: installMs });
    problem = code === 0 ? '' : lastLine(output) || 'it took too long';
    return problem === '';
  });
  if (problem !== '') throw new Error(`python-socketio could not be installed (${problem}). ${wayOut}`);
  return { command, packages };
}

export type PythonEvent = [name: string, payload: Record<string, unknown> | null];

/** A python-socketio client in a process of its own. Commands are answered one after the other. */
export class PythonClient {
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  #said = '';

  constructor({ command, packages }: PythonRuntime) {
    const env = { ...process.env, PYTHONPATH: packages, PYTHONUNBUFFERED: '1' };
    this.#child = spawn(command, [join(sources, 'driver.py')], { stdio: 'pipe', env });
    const { stdout, stderr } = this.#child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.(line));
    stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2_000)));
  }

  /** @returns the transport, or the problem with which the platform refused. */
  connect(
    url: string,
    auth: object,
    transport: 'websocket' | 'polling',
  ): Promise<{ ok: boolean; transport?: string; problem?: { data?: { code?: string } } }> {
    return this.#ask({ do: 'connect', url, auth, transport });
  }

  /** The acknowledgement of an event. */
  async call<T = Record<string, unknown>>(event: string, payload: unknown): Promise<T> {
    return (await this.#ask<{ answer: T }>({ do: 'call', event, payload })).answer;
  }

  /** Everything heard so far, in order. */
  async heard(): Promise<PythonEvent[]> {
    return (await this.#ask<{ events: PythonEvent[] }>({ do: 'heard' })).events;
  }

  async disconnect(): Promise<void> {
    await this.#ask({ do: 'disconnect' });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  }

  #ask<T>(command: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Python did not answer; it said: ${this.#said}`)), answerMs);
      this.#waiting.push((line) => {
        clearTimeout(timer);
        resolve(JSON.parse(line) as T);
      });
      this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    });
  }
}
