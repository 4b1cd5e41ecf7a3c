import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@bluewave/dev-env/find/cache-folder';
import type { EngineBinary, LocateContext } from '@bluewave/dev-env/find/locate';
import { eventually } from '../../../src/api-client.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Finds a program the way `npm start` does. */
export const locate = (find: (context: LocateContext) => Promise<EngineBinary>): Promise<EngineBinary> =>
  find({
    env: process.env,
    cacheDir: cacheFolder(process.env, root),
    platform: process.platform,
    arch: process.arch,
    say: () => undefined,
  });

/** Waits until something listens on a port of this machine. */
export async function answers(port: number): Promise<void> {
  const tries = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await eventually(tries, (open) => open, 20_000);
}

/** An engine started otherwise than it should be. */
export class EngineProcess {
  readonly #child: ChildProcess;

  constructor(binary: EngineBinary, args: readonly string[]) {
    const env = { ...process.env, ...binary.env };
    this.#child = spawn(binary.command, [...binary.args, ...args], { env, stdio: 'ignore' });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
