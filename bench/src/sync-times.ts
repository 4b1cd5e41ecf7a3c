import { randomUUID } from 'node:crypto';
import { createClient, createMemoryStore, type Store } from '@bluewave/sdk';
import { type Account, call, createAccounts, openDirect } from './accounts.ts';
import type { BenchPart } from './bench-options.ts';
import { inParallel, median, pause, rounded, until } from './gather.ts';
import { LeanSocket } from './lean-socket.ts';
import { percentiles } from './latencies.ts';

const few = 100;
const many = 10_000;
const fewRounds = 30;
const manyRounds = 5;
const limitMs = 60_000;

/**
 * A device that was away comes back: from `connect()` of the SDK to everything applied, so with the handshake, at the
 * client. Baseline: the same entries read page by page by plain REST calls, one connection kept alive, and parsed.
 */
export const measureSync: BenchPart = async (platform, { report }) => {
  const [first = '', second = ''] = platform.gateways;
  const [ada, bob, eve] = (await createAccounts(platform.gateways, 3)) as [Account, Account, Account];
  const conversationId = await openDirect(first, ada, bob);
  const writer = await LeanSocket.connect({ url: second, auth: { token: ada.token }, onEvent: () => undefined });
  const store = keptOpen(createMemoryStore());
  await comeBack(first, bob, store);
  const times: number[] = [];
  const plain: number[] = [];
  let head = 1;
  for (let round = 0; round < fewRounds; round += 1) {
    await write(writer, conversationId, few);
    times.push(await comeBack(first, bob, store, few));
    plain.push(await readPlainly(first, bob, conversationId, head, few));
    head += few;
  }
  const fewAnswer = { missed: few, ...percentiles(times), plain: percentiles(plain) };
  report(`${few} missed: p50 ${fewAnswer.p50} ms, p95 ${fewAnswer.p95} ms; plain p95 ${fewAnswer.plain.p95} ms`);
  const longId = await openDirect(first, ada, eve);
  await write(writer, longId, many - 1);
  const longTimes: number[] = [];
  const longPlain: number[] = [];
  for (let round = 0; round < manyRounds; round += 1) {
    longTimes.push(await comeBack(second, eve, createMemoryStore(), many));
    longPlain.push(await readPlainly(second, eve, longId, 0, many));
  }
  writer.close();
  const manyAnswer = { missed: many, ...percentiles(longTimes), plain: percentiles(longPlain) };
  report(`${many} missed: p50 ${manyAnswer.p50} ms, max ${manyAnswer.max} ms; plain p50 ${manyAnswer.plain.p50} ms`);
  return {
    few: fewAnswer,
    many: manyAnswer,
    ratio: { few: rounded(median(times) / median(plain)), many: rounded(median(longTimes) / median(longPlain)) },
    goals: {
      missed100P95Ms: { value: fewAnswer.p95, below: 200 },
      missed10000MaxMs: { value: manyAnswer.max, below: 3_000 },
    },
  };
};

/** A store that another client goes on with. */
const keptOpen = (store: Store): Store => ({ ...store, close: async () => undefined });

async function write(writer: LeanSocket, conversationId: string, count: number): Promise<void> {
  await inParallel(count, 64, async (index) => {
    const send = { conversationId, clientMsgId: randomUUID(), text: `How about lunch at half past twelve? ${index}` };
    const answer = await new Promise<unknown>((resolve) => writer.emit('message:send', send, resolve));
    if (!(answer as { ok: boolean }).ok) throw new Error(`a send was refused: ${JSON.stringify(answer)}`);
  });
  // The gateways have delivered it to whoever is there.
  await pause(200);
}

/** @returns milliseconds from `connect()` until everything is applied. */
async function comeBack(url: string, { token, userId }: Account, store: Store, missed = 0): Promise<number> {
  const window = Number.POSITIVE_INFINITY;
  const client = await createClient({
    url,
    userId,
    tokenProvider: async () => token,
    store,
    window,
    autoDelivered: false,
  });
  let applied = 0;
  client.on('entry', () => (applied += 1));
  let tookMs = 0;
  const startedAt = performance.now();
  client.on('synced', () => (tookMs = performance.now() - startedAt));
  client.connect();
  await until('a device is synced', () => tookMs > 0, limitMs);
  await client.close();
  if (applied < missed) throw new Error(`${applied} of ${missed} entries came`);
  return tookMs;
}

async function readPlainly(url: string, { token }: Account, id: string, after: number, count: number): Promise<number> {
  const startedAt = performance.now();
  let read = 0;
  for (let more = true; more;) {
    const page = await call(url, 'GET', `/conversations/${id}/entries?after=${after + read}&limit=200`, token);
    read += (page['items'] as unknown[]).length;
    more = page['hasMore'] === true;
  }
  if (read < count) throw new Error(`${read} of ${count} entries were read`);
  return performance.now() - startedAt;
}
