import { randomUUID } from 'node:crypto';
import type { Platform } from '@bluewave/dev-env/platform';
import { ChaosClient } from './chaos-client.ts';
import { checkLedger, isClean, type Verdict } from './check-ledger.ts';
import { type FaultRecord, killInTurn } from './faults.ts';
import type { Absence, Ledger } from './ledger.ts';
import { pick, seededRandom } from './random.ts';
import { turnDoor } from './revolving-door.ts';
import { type Scene, setScene } from './scene.ts';
import { ledgerOf, readLogs, settleClients, waitFor } from './settle.ts';

export type ChaosOptions = { seconds: number; seed: number; report(line: string): void };

export type ChaosResult = Verdict & {
  seed: number;
  seconds: number;
  acked: number;
  delivered: number;
  reconnects: number;
  removals: number;
  kills: FaultRecord[];
  /** The longest time from a restart to an acknowledged send. */
  worstRecoveryMs: number;
  passed: boolean;
};

const people = 20;
export const recoveryGoalMs = 3_000;
const settleLimitMs = 60_000;
const sendEveryMs = 100;

/** One run: people talk while parts are killed, then everything promised is compared with the log. */
export async function runChaos(platform: Platform, options: ChaosOptions): Promise<ChaosResult> {
  const random = seededRandom(options.seed);
  const scene = await setScene(platform.gateways, people);
  const clients = scene.people.map(
    (account) => new ChaosClient(account, platform.gateways, seededRandom(random() * 2 ** 32)),
  );
  const until = Date.now() + options.seconds * 1_000;
  options.report(`${people} people, ${scene.conversations.length} conversations, seed ${options.seed}`);
  const talking = talk(clients, scene, random, until);
  const door = turnDoor(platform.gateways, scene.revolving, () => Date.now() >= until);
  const kills = await killInTurn(platform, random, until, () => probe(clients, scene), options.report);
  const [, absences] = await Promise.all([talking, door]);
  options.report('the faults are over; waiting until everything has settled');
  const ledger = await settle(platform, clients, scene, absences);
  const log = await readLogs(platform.gateways, scene);
  const verdict = checkLedger(ledger, log);
  for (const client of clients) client.close();
  const worstRecoveryMs = Math.max(0, ...kills.map(({ recoveredMs }) => recoveredMs));
  return {
    seed: options.seed,
    seconds: options.seconds,
    acked: ledger.acked.length,
    delivered: clients.reduce((sum, { view }) => sum + view.applied.length, 0),
    reconnects: clients.reduce((sum, client) => sum + client.reconnects, 0),
    removals: absences.length,
    ...verdict,
    kills,
    worstRecoveryMs,
    passed: isClean(verdict) && worstRecoveryMs <= recoveryGoalMs && ledger.acked.length > 0 && kills.length > 0,
  };
}

/** Everybody sends now and then, each to a conversation of theirs. */
async function talk(clients: ChaosClient[], scene: Scene, random: () => number, until: number): Promise<void> {
  while (Date.now() < until) {
    for (const client of clients) {
      if (random() > 0.5) continue;
      const own = scene.conversations.filter(({ memberIds }) => memberIds.includes(client.account.userId));
      client.send(pick(random, own).id, randomUUID(), `message ${random()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, sendEveryMs));
  }
}

/** A fresh send of some client that is connected, acknowledged. */
async function probe(clients: ChaosClient[], scene: Scene): Promise<void> {
  const started = Date.now();
  const before = new Set(clients.flatMap(({ acked }) => acked));
  for (const client of clients) {
    const own = scene.conversations.find(({ memberIds }) => memberIds.includes(client.account.userId));
    if (own) client.send(own.id, randomUUID(), 'probe');
  }
  while (Date.now() - started < settleLimitMs) {
    if (clients.some(({ acked }) => acked.some((ack) => !before.has(ack)))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Everybody has an answer and the whole log, and the phones had their time. */
async function settle(platform: Platform, clients: ChaosClient[], scene: Scene, absences: Absence[]): Promise<Ledger> {
  await settleClients(clients, settleLimitMs);
  const acked = clients.flatMap((client) => client.acked);
  const phones = scene.absentees.map(({ pushToken, userId, conversationIds }) => ({
    token: pushToken,
    userId,
    conversationIds,
    received: new Set<string>(),
  }));
  await waitFor(settleLimitMs, async () => {
    let missing = 0;
    for (const phone of phones) {
      phone.received = await inboxOf(platform, phone.token);
      missing += acked.filter(
        ({ conversationId, seq }) =>
          phone.conversationIds.includes(conversationId) && !phone.received.has(`${conversationId}:${seq}`),
      ).length;
    }
    return missing === 0;
  });
  return { ...ledgerOf(clients, scene, absences), phones };
}

async function inboxOf(platform: Platform, token: string): Promise<Set<string>> {
  const answer = await fetch(`${platform.fcm}/inbox?token=${token}`, { signal: AbortSignal.timeout(5_000) });
  const { items } = (await answer.json()) as { items: { message: { data?: { messageId?: string } } }[] };
  return new Set(items.flatMap(({ message }) => message.data?.messageId ?? []));
}
