import { randomUUID } from 'node:crypto';
import type { Platform } from '@bluewave/dev-env/platform';
import { type Account, call, createAccounts, signUp } from './accounts.ts';
import { type BenchOptions, type BenchPart, pidOf } from './bench-options.ts';
import { cpuPerMessage, cpuSeconds } from './cpu.ts';
import { median, rounded } from './gather.ts';
import { LeanSocket } from './lean-socket.ts';
import { percentiles } from './latencies.ts';
import { closedLoop, LoadMeter } from './load.ts';
import { keptConversations, prepareEmpty } from './long-conversations.ts';
import { measureSearch } from './search-times.ts';

const messages = 1_000_000;
const conversations = 1_000;
const perRound = 40;
const groupSize = 1_000;

/**
 * What must not grow with what there is: a page of history with the length of the conversation, the list of conversations with their
 * number, a search with the number of messages, a send with the number of members. The short conversation and the pair are the baselines; they take turns with the long and the large.
 */
export const measureReading: BenchPart = async (platform, options) => {
  const { rounds, size = messages, report } = options;
  const [gateway = ''] = platform.gateways;
  const [sender] = (await createAccounts(platform.gateways, 1)) as [Account];
  const reader = await signUp(gateway, `reader-of-${size}@example.com`);
  const prepared = await keptConversations(platform, reader.userId, { messages: size, conversations, report });
  const timed = async (path: string): Promise<number> => {
    const started = performance.now();
    await call(gateway, 'GET', path, reader.token);
    return performance.now() - started;
  };
  const long: number[] = [];
  const short: number[] = [];
  const list: number[] = [];
  for (let index = 0; index < rounds * perRound; index += 1) {
    const place = (index % perRound) / perRound;
    const page = (id: string, length: number) =>
      `/conversations/${id}/messages?limit=50&before=${100 + Math.floor(place * (length - 100))}`;
    long.push(await timed(page(prepared.longId, size)));
    short.push(await timed(page(prepared.shortId, 1_000)));
    list.push(await timed('/conversations?limit=50'));
  }
  const history = { long: percentiles(long), short: percentiles(short) };
  const listed = percentiles(list);
  const historyRatio = rounded(history.long.p50 / history.short.p50);
  report(`history of ${size}: p50 ${history.long.p50} ms; of 1,000: p50 ${history.short.p50} ms`);
  report(`list of ${conversations} conversations: p50 ${listed.p50} ms, p95 ${listed.p95} ms`);
  const search = await measureSearch(gateway, reader, prepared, platform, options);
  const sends = await measureSends(platform, sender, options);
  return {
    goals: {
      historyToShort: { value: historyRatio, atMost: 1.5 },
      listP95Ms: { value: listed.p95, below: 50 },
      searchP95Ms: { value: search.all.p95, below: 100 },
      sendToPair: { value: sends.ratio, atMost: 2 },
    },
    conversations,
    messages: prepared.messages,
    history,
    list: listed,
    search,
    sends,
  };
};

/** CPU of the chat service for a message to a large group and to a pair, in turns; nobody is connected but the sender. */
async function measureSends(platform: Platform, sender: Account, { seconds, rounds, report }: BenchOptions) {
  const [gateway = ''] = platform.gateways;
  const members = (count: number) => [sender.userId, ...Array.from({ length: count - 1 }, () => randomUUID())];
  const [groupId = '', pairId = ''] = await prepareEmpty(platform, [members(groupSize), members(2)]);
  const socket = await LeanSocket.connect({ url: gateway, auth: { token: sender.token }, onEvent: () => undefined });
  const chat = [{ name: 'chat', pid: pidOf(platform, 'chat') }];
  const micros = async (conversationId: string, length: number): Promise<number> => {
    const meter = new LoadMeter();
    const before = cpuSeconds(chat);
    await closedLoop(meter, [{ sender: socket, conversationId, readers: 0 }], 8, length);
    const { acked } = await meter.result(length);
    return cpuPerMessage(before, cpuSeconds(chat), acked).total;
  };
  for (const id of [groupId, pairId]) await micros(id, 1);
  const group: number[] = [];
  const pair: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    group.push(await micros(groupId, seconds));
    pair.push(await micros(pairId, seconds));
  }
  socket.close();
  const ratio = rounded(median(group) / median(pair));
  report(`a send costs chat ${median(group)} us in a group of ${groupSize}, ${median(pair)} us in a pair`);
  return { groupSize, groupMicros: group, pairMicros: pair, ratio };
}
