import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { endProcesses } from './end-processes.ts';
import type { KeeperOrder } from './keeper.ts';
import type { ProcessIdentity } from './process-identity.ts';

/**
 * The keeper: a small process in a session of its own that outlives its parent by a moment. The parent names every
 * child it starts and every temporary path it makes. When the parent's end of the pipe closes - it ended, crashed or
 * was killed with -9 - the keeper ends the children that are left and removes the paths.
 */
const GRACE_MS = 6_000;

const processes = new Map<number, ProcessIdentity>();
const paths = new Set<string>();

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const obey = (order: KeeperOrder): void => {
  if (order.op === 'guard') processes.set(order.process.pid, order.process);
  else if (order.op === 'release') processes.delete(order.pid);
  else if (order.op === 'guard-path') paths.add(order.path);
  else paths.delete(order.path);
};

// Ctrl-C and a closed terminal are for the parent; the keeper ends when its parent has.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  obey(JSON.parse(line) as KeeperOrder);
});
lines.on('close', () => {
  void (async () => {
    // A file says that something runs (platform.json): it goes first. Folders hold the data of those that still run.
    for (const path of paths) if (isFile(path)) await rm(path, { force: true });
    await endProcesses([...processes.values()], GRACE_MS);
    for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 5 });
    process.exit(0);
  })();
});
