import type { Platform } from '@bluewave/dev-env/platform';
import { shuffled } from './random.ts';

export type FaultRecord = {
  name: string;
  /** From the kill to serving again. */
  downMs: number;
  /** From serving again to the first send that was begun after it and acknowledged. */
  recoveredMs: number;
};

const victims = ['chat', 'gateway-1', 'gateway-2', 'nats', 'redis', 'mongod'] as const;
const restartLimitMs = 20_000;
const calmMs = 1_000;

/**
 * Kills one part after the other with -9, in an order that the seed decides, until the time is over; each one only
 * when the one before serves again. @param probe sends one message and resolves when it was acknowledged.
 */
export async function killInTurn(
  platform: Platform,
  random: () => number,
  until: number,
  probe: () => Promise<void>,
  report: (line: string) => void,
): Promise<FaultRecord[]> {
  const records: FaultRecord[] = [];
  for (let round = shuffled(random, victims); Date.now() < until; round = shuffled(random, victims)) {
    for (const name of round) {
      if (Date.now() >= until) break;
      const killed = Date.now();
      await platform.kill(name, 'SIGKILL');
      await platform.waitRestarted(name, restartLimitMs);
      const back = Date.now();
      await probe();
      records.push({ name, downMs: back - killed, recoveredMs: Date.now() - back });
      report(`killed ${name}: down ${back - killed} ms, sending again after ${Date.now() - back} ms`);
      await new Promise((resolve) => setTimeout(resolve, calmMs * random()));
    }
  }
  return records;
}
