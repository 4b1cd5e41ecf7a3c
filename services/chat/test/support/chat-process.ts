import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChatConfig } from '../../src/config.ts';
import type { ChatTimings } from '../../src/server.ts';

const runner = fileURLToPath(new URL('./chat-runner.mjs', import.meta.url));

export type DieAt = { access: number; when: 'before' | 'after' };

/** The chat service in a process of its own. */
export type ChatProcess = { grpcPort: number; exited: Promise<unknown>; kill(): Promise<void> };

export async function startChatProcess(config: ChatConfig, timings: ChatTimings, dieAt?: DieAt): Promise<ChatProcess> {
  const child: ChildProcess = spawn(process.execPath, [runner, JSON.stringify({ config, timings, dieAt })], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exited = once(child, 'exit');
  if (!child.stdout) throw new Error('the process has no output');
  const lines = createInterface({ input: child.stdout });
  const grpcPort = await new Promise<number>((resolve, reject) => {
    lines.once('line', (line) => resolve((JSON.parse(line) as { grpcPort: number }).grpcPort));
    exited.then(() => reject(new Error('the chat process ended at its start')), reject);
  });
  return {
    grpcPort,
    exited,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
