import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Relay = { url: string; pid: number; close(): Promise<void> };

/** As the platform's services are started, so that the memory of both is comparable. */
const nodeArgs = ['--max-semi-space-size=32'];

/** Starts the baseline in a process of its own. @param redisUrl lets several share their rooms. */
export async function startRelay(redisUrl?: string): Promise<Relay> {
  const program = fileURLToPath(new URL('./relay-main.js', import.meta.url));
  const args = [...nodeArgs, program, ...(redisUrl === undefined ? [] : [redisUrl])];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
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
