import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Relay = { url: string; pid: number; close(): Promise<void> };

/** Starts the baseline in a process of its own. */
export async function startRelay(): Promise<Relay> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL('./relay-main.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdout, stdin, pid } = child;
  if (!stdout || !stdin || pid === undefined) throw new Error('the relay did not start');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(chunk.toString())}`,
    pid,
    close: async () => {
      stdin.end();
      await once(child, 'exit');
    },
  };
}
