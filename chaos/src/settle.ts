import { type ChaosClient, seenEntry } from './chaos-client.ts';
import type { Absence, Ledger, Log } from './ledger.ts';
import { readLog, type Scene } from './scene.ts';

const lookAgainMs = 250;
const readersAtOnce = 8;

/** Looks again until it is so, for at most `ms`. */
export async function waitFor(ms: number, done: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + ms;
  while (!(await done()) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
}

/** Waits until every send has its answer and every device has synced to the end of its logs, each within `ms`. */
export async function settleClients(clients: readonly ChaosClient[], ms: number): Promise<void> {
  await waitFor(ms, () => clients.every(({ open }) => open.length === 0));
  const synced = new Set<ChaosClient>();
  await waitFor(ms, async () => {
    for (const client of clients) {
      if (synced.has(client)) continue;
      await client.sync().then(
        () => synced.add(client),
        () => undefined,
      );
    }
    return synced.size === clients.length;
  });
}

/** What the clients were promised and shown, without phones. */
export function ledgerOf(clients: readonly ChaosClient[], scene: Scene, absences: Absence[]): Ledger {
  return {
    acked: clients.flatMap((client) => client.acked),
    unresolved: clients.flatMap((client) => client.open),
    absences,
    devices: clients.map((client) => client.view),
    members: new Map(scene.conversations.map(({ id, memberIds }) => [id, new Set(memberIds)])),
    phones: [],
  };
}

/** The log of each conversation, as one of its members reads it. */
export async function readLogs(gateways: readonly string[], scene: Scene): Promise<Log> {
  const log: Log = new Map();
  const waiting = [...scene.conversations];
  const readSome = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { id, memberIds } = next;
      const reader = scene.people.find(({ userId }) => memberIds.includes(userId));
      if (!reader) continue;
      const entries = await readLog(gateways[0] as string, reader.token, id);
      log.set(
        id,
        entries.map((entry) => seenEntry(entry as Parameters<typeof seenEntry>[0])),
      );
    }
  };
  await Promise.all(Array.from({ length: readersAtOnce }, readSome));
  return log;
}
