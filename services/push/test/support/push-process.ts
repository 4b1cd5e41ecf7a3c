import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PushConfig } from '../../src/config.ts';
import type { EntriesConsumer } from '../../src/server.ts';

const runner = fileURLToPath(new URL('./push-runner.mjs', import.meta.url));

/** The push service in a process that can be killed at any moment; it runs what was built. */
export type PushProcess = { grpcPort: number; kill(): Promise<void> };

export async function startPushProcess(config: PushConfig, entries: EntriesConsumer): Promise<PushProcess> {
  const child: ChildProcess = spawn(process.execPath, [runner, JSON.stringify({ config, entries })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  if (!child.stdout) throw new Error('the process has no output');
  const lines = createInterface({ input: child.stdout });
  const grpcPort = await new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => {
      const said = JSON.parse(line) as { grpcPort?: number };
      if (said.grpcPort !== undefined) resolve(said.grpcPort);
    });
    exited.then(() => reject(new Error('the push process ended at its start')), reject);
  });
  return {
    grpcPort,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
