import { randomUUID } from 'node:crypto';
import { type Client, createClient } from '@bluewave/sdk';
import { type Account, call, createAccounts, openDirect } from './accounts.ts';
import type { BenchPart } from './bench-options.ts';
import { inParallel, rounded, until } from './gather.ts';
import { percentiles } from './latencies.ts';
import { scrape } from './scrape.ts';

type Device = { client: Client; conversationId: string; attempts: number; backAt: number };

const defaultClients = 5_000;
/** Conversations that go on while their members are away. */
const busyConversations = 500;
const limitMs = 600_000;

/**
 * All clients of one gateway (the SDK's own, each of another user) lose it by SIGKILL at once and find it again where it
 * was, cold. Counts how often each tried and how long it took until each had what was written meanwhile.
 */
export const measureConnectStorm: BenchPart = async (platform, { size = defaultClients, report }) => {
  const [first = '', second = ''] = platform.gateways;
  report(`creating ${size} accounts in ${size / 2} conversations`);
  const accounts = await createAccounts(platform.gateways, size);
  const person = (index: number): Account => accounts[index] as Account;
  const conversations = await inParallel(size / 2, 8, (pair) =>
    openDirect(second, person(pair * 2), person(pair * 2 + 1)),
  );
  let stormAt = Number.POSITIVE_INFINITY;
  const firstAt = performance.now();
  const devices = await inParallel(size, 32, (index) =>
    connect(first, person(index), conversations[index >> 1] ?? '', () => stormAt),
  );
  const connectSeconds = rounded((performance.now() - firstAt) / 1_000, 1);
  report(`${size} clients are connected and synced after ${connectSeconds} s; killing their gateway`);

  stormAt = performance.now();
  await platform.kill('gateway-1', 'SIGKILL');
  const busy = conversations.slice(0, busyConversations);
  const wanted = new Map<string, number>();
  await inParallel(busy.length, 8, async (index) => {
    const id = busy[index] ?? '';
    const body = { clientMsgId: randomUUID(), text: 'while you were away' };
    const { message } = await call(second, 'POST', `/conversations/${id}/messages`, person(index * 2).token, body);
    wanted.set(id, (message as { seq: number }).seq);
  });
  await platform.waitRestarted('gateway-1', 30_000);
  const servingMs = performance.now() - stormAt;
  const isBack = (device: Device): boolean =>
    device.backAt > 0 && headOf(device) >= (wanted.get(device.conversationId) ?? 1);
  await until('all clients are back', () => devices.every(isBack), limitMs).catch((error: unknown) =>
    report(String(error)),
  );
  const back = devices.filter(isBack);
  const result = {
    clients: size,
    synced: back.length,
    attempts: {
      ...percentiles(devices.map(({ attempts }) => attempts)),
      total: devices.reduce((sum, one) => sum + one.attempts, 0),
    },
    /** From the kill. */
    gatewayServesAfterMs: Math.round(servingMs),
    syncedAfterMs: percentiles(back.map(({ backAt }) => Math.round(backAt - stormAt))),
    connectSeconds,
    refused: refusals(await scrape(platform)),
  };
  await Promise.all(devices.map(({ client }) => client.close()));
  return { ...result, goals: { notSynced: { value: size - back.length, atMost: 0 } } };
};

async function connect(
  url: string,
  { token, userId }: Account,
  conversationId: string,
  stormAt: () => number,
): Promise<Device> {
  const client = await createClient({ url, userId, tokenProvider: async () => token, autoDelivered: false });
  const device: Device = { client, conversationId, attempts: 0, backAt: 0 };
  client.connection.subscribe(({ status }) => {
    if (status === 'connecting' && performance.now() > stormAt()) device.attempts += 1;
  });
  client.on('synced', () => {
    if (performance.now() > stormAt()) device.backAt = performance.now();
  });
  client.connect();
  await until('a client is synced', () => client.synced.get(), limitMs);
  return device;
}

const headOf = ({ client, conversationId }: Device): number =>
  client.conversations.get().find(({ id }) => id === conversationId)?.head ?? 0;

/** Handshakes that gateways refused since they started, by code. */
function refusals(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, code = '', count] of text.matchAll(
    /^bluewave_gateway_handshakes_refused_total\{.*code="(\w+)".*\} (\d+)$/gm,
  )) {
    counts[code] = (counts[code] ?? 0) + Number(count);
  }
  return counts;
}
