import { randomUUID } from 'node:crypto';
import { type Account, call, createAccounts, openGroup } from './accounts.ts';
import type { Platform } from '@bluewave/dev-env/platform';
import { type BenchPart, pidOf } from './bench-options.ts';
import { inParallel, median, pause, rounded } from './gather.ts';
import type { Percentiles } from './latencies.ts';
import { LeanSocket } from './lean-socket.ts';
import { LoadMeter, openLoop } from './load.ts';
import { watchPeak } from './memory.ts';
import { Reader } from './reader.ts';
import { scrape, sumOf } from './scrape.ts';

type Turn = {
  stalled: boolean;
  delivery: Percentiles;
  failed: number;
  missing: number;
  peakMiB: number;
  /** Of the stalled ones, and those of them that the gateway had too much for; the rest fell silent. */
  cut: number;
  cutAsSlow: number;
  /** Entries that the stalled ones do not have after they came back. */
  holes: number;
};

const healthy = 2_000;
const slow = 100;
const socketsEach = 10;
const messagesPerSecond = 2;
/** Long messages that only the slow ones get: enough to fill what the kernel takes for them within seconds. */
const longPerSecond = 12;
/** 12 kB as it travels. */
const longText = '字'.repeat(4_000);
/** What the kernel holds for a stalled one never reaches the gateway's memory: it is cut when it answers no heartbeat. */
const heartbeatMs = 30_000;
const answersMs = 8_000;
const catchUpMs = 120_000;

/**
 * 2,000 sockets that read and 100 that do not, on one gateway: the same traffic with the 100 reading and with the 100
 * stalled, in turns. Then the stalled ones come back and sync: everything of both conversations must be there.
 */
export const measureSlowConsumers: BenchPart = async (platform, { seconds, rounds, report }) => {
  const [first = '', second = ''] = platform.gateways;
  const gateway = pidOf(platform, 'gateway-1');
  const people = await createAccounts(platform.gateways, 1 + (healthy + slow) / socketsEach);
  const [writer, ...others] = people as [Account, ...Account[]];
  const slowOnes = others.slice(0, slow / socketsEach);
  const all = await openGroup(first, people);
  const long = await openGroup(first, [writer, ...slowOnes]);
  const current = { meter: new LoadMeter() };
  const sender = await LeanSocket.connect({ url: second, auth: { token: writer.token }, onEvent: () => undefined });
  const readers = await inParallel(slow, 10, (index) => Reader.open(first, tokenOf(slowOnes, index), [all, long]));
  const good = await inParallel(healthy, 10, (index) =>
    LeanSocket.connect({
      url: first,
      auth: { token: tokenOf(others.slice(slowOnes.length), index) },
      onEvent: (name, payload) => current.meter.hear(name, payload),
    }),
  );
  report(`${healthy} sockets that read, ${slow} that will stall`);
  const turn = async (stalled: boolean): Promise<Turn> => {
    for (const reader of readers) reader.askForMuch();
    if (stalled) for (const reader of readers) reader.stall();
    const cutBefore = slowOnesCut(await scrape(platform));
    const peak = watchPeak(gateway);
    // What so many large answers cost while they are made is not what slow readers cost the others.
    await pause(answersMs);
    const meter = (current.meter = new LoadMeter());
    const lane = { sender, conversationId: all, readers: healthy };
    const flood = writeLong(second, writer, long, seconds);
    await openLoop(meter, [lane], messagesPerSecond, seconds);
    await flood;
    const { delivery, failed, expected, delivered } = await meter.result(seconds);
    const cut = stalled ? await waitForCuts(platform) : 0;
    const cutAsSlow = slowOnesCut(await scrape(platform)) - cutBefore;
    const peakMiB = Math.round(peak() / 2 ** 20);
    // They lose what the kernel holds for them, as a phone does whose network is another one.
    if (stalled) for (const reader of readers) reader.drop();
    const holes = stalled ? await countHoles(first, writer, [all, long], readers) : 0;
    const result = { stalled, delivery, failed, missing: expected - delivered, peakMiB, cut, cutAsSlow, holes };
    report(
      `${stalled ? 'stalled' : 'reading'}: p99 ${delivery.p99} ms, gateway ${peakMiB} MiB, ${cut} cut, ${holes} holes`,
    );
    return result;
  };
  report('writing long messages, so that an answer to a sync is large');
  await writeLong(second, writer, long, 6);
  await turn(false);
  const turns: { reading: Turn; stalled: Turn }[] = [];
  for (let round = 0; round < rounds; round += 1) turns.push({ reading: await turn(false), stalled: await turn(true) });
  for (const socket of [sender, ...good]) socket.close();
  for (const reader of readers) reader.close();
  const p99 = {
    reading: median(turns.map(({ reading }) => reading.delivery.p99)),
    stalled: median(turns.map(({ stalled }) => stalled.delivery.p99)),
  };
  const growthMiB = Math.max(...turns.map(({ reading, stalled }) => stalled.peakMiB - reading.peakMiB));
  return {
    healthy,
    slow,
    turns,
    healthyP99Ms: p99,
    goals: {
      gatewayGrowthMiB: { value: growthMiB, atMost: 64 },
      healthyP99Ratio: { value: rounded(p99.stalled / p99.reading), atMost: 1.2 },
      notCut: { value: turns.reduce((sum, { stalled }) => sum + slow - stalled.cut, 0), atMost: 0 },
      holes: { value: turns.reduce((sum, { stalled }) => sum + stalled.holes, 0), atMost: 0 },
    },
  };
};

const tokenOf = (accounts: readonly Account[], index: number): string =>
  accounts[Math.floor(index / socketsEach)]?.token ?? '';

async function writeLong(gateway: string, writer: Account, id: string, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until) {
    const next = performance.now() + 1_000;
    await inParallel(longPerSecond, 8, () => {
      const body = { clientMsgId: randomUUID(), text: longText };
      return call(gateway, 'POST', `/conversations/${id}/messages`, writer.token, body);
    });
    await pause(Math.max(0, next - performance.now()));
  }
}

/** Waits until the heartbeat of the last stalled one is overdue. @returns how many of them the gateway has cut */
async function waitForCuts(platform: Platform): Promise<number> {
  const everybody = healthy + slow + 1;
  for (const end = performance.now() + heartbeatMs; ; await pause(500)) {
    const cut = everybody - sumOf(await scrape(platform), 'bluewave_gateway_sockets');
    if (cut >= slow || performance.now() > end) return cut;
  }
}

const slowOnesCut = (text: string): number => sumOf(text, 'bluewave_gateway_sockets_closed_total', 'reason="slow"');

/** Lets them come back and catch up. @returns the entries of the logs that they do not have after that */
async function countHoles(
  gateway: string,
  writer: Account,
  ids: string[],
  readers: readonly Reader[],
): Promise<number> {
  const heads = new Map<string, number>();
  for (const id of ids)
    heads.set(id, (await call(gateway, 'GET', `/conversations/${id}`, writer.token))['head'] as number);
  const isWhole = (reader: Reader): boolean => ids.every((id) => reader.have(id) === heads.get(id));
  // Who reads as slowly as this busy machine lets them may be cut again, and comes back again, as every client does.
  for (const end = performance.now() + catchUpMs; !readers.every(isWhole) && performance.now() < end;) {
    const cut = readers.filter(({ isOpen }) => !isOpen);
    await inParallel(cut.length, 10, async (index) => cut[index]?.comeBack());
    await pause(200);
  }
  return readers.reduce(
    (sum, reader) => sum + ids.reduce((missing, id) => missing + (heads.get(id) ?? 0) - reader.have(id), 0),
    0,
  );
}
