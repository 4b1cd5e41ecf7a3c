import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, signalProcess, type ProcessIdentity } from './process-identity.ts';

/** Ends processes: SIGTERM to all, and SIGKILL to those that are still there after `graceMs`. */
export const endProcesses = async (processes: readonly ProcessIdentity[], graceMs: number): Promise<void> => {
  for (const one of processes) signalProcess(one, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  let left = processes.filter(isAlive);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = left.filter(isAlive);
  }
  for (const one of left) signalProcess(one, 'SIGKILL');
  while (left.some(isAlive) && performance.now() < deadline + 2_000) await sleep(20);
};
