import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@bluewave/dev-env/find/cache-folder';
import type { EngineBinary, LocateContext } from '@bluewave/dev-env/find/locate';

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
