import { randomUUID } from 'node:crypto';
import { createAccounts, openGroup } from './accounts.ts';
import { type BenchPart, pidOf } from './bench-options.ts';
import { cpuPerMessage, cpuSeconds, type NamedProcess } from './cpu.ts';
import { inParallel, median, rounded } from './gather.ts';
import { LeanSocket } from './lean-socket.ts';
import { type Lane, LoadMeter, type LoadResult, openLoop } from './load.ts';
import { startRelay } from './relay.ts';

type Side = { lanes: Lane[]; sockets: LeanSocket[]; processes: NamedProcess[] };
type Turn = Omit<LoadResult, 'seconds'> & { cpuMicrosPerDelivery: number };

const groupSize = 100;
const senders = 10;
const perSecond = 20;

/**
 * From a send on one gateway to its delivery to 90 readers on another one, against two bare Socket.IO servers that share
 * their rooms by Socket.IO's Redis adapter, over the same Redis, with the same senders, readers and rate, in turns.
 */
export const measureCrossGateway: BenchPart = async (platform, { seconds, rounds, report }) => {
  const current = { meter: new LoadMeter() };
  const hear = (name: string, payload: unknown): void => current.meter.hear(name, payload);
  const own = await platformSide(platform, hear);
  const relays = await Promise.all([startRelay(platform.engines.redis), startRelay(platform.engines.redis)]);
  const bare = await bareSide(relays, pidOf(platform, 'redis'), hear);
  const measure = async ({ lanes, processes }: Side, length: number): Promise<Turn> => {
    const meter = (current.meter = new LoadMeter());
    const before = cpuSeconds(processes);
    await openLoop(meter, lanes, perSecond, length);
    const { seconds: _, ...result } = await meter.result(length);
    return { ...result, cpuMicrosPerDelivery: cpuPerMessage(before, cpuSeconds(processes), result.delivered).total };
  };
  await measure(own, 2);
  await measure(bare, 2);
  const turns: { platform: Turn; bare: Turn }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const turn = { bare: await measure(bare, seconds), platform: await measure(own, seconds) };
    turns.push(turn);
    const told = ({ delivery }: Turn): string => `p50 ${delivery.p50} ms, p99 ${delivery.p99} ms`;
    report(`round ${round}: platform ${told(turn.platform)}; bare ${told(turn.bare)}`);
  }
  for (const socket of [...own.sockets, ...bare.sockets]) socket.close();
  await Promise.all(relays.map((relay) => relay.close()));
  const of = (side: 'platform' | 'bare') => ({
    p50: median(turns.map((turn) => turn[side].delivery.p50)),
    p99: median(turns.map((turn) => turn[side].delivery.p99)),
    cpuMicrosPerDelivery: median(turns.map((turn) => turn[side].cpuMicrosPerDelivery)),
    missing: turns.reduce((sum, turn) => sum + turn[side].expected - turn[side].delivered, 0),
  });
  const [ours, theirs] = [of('platform'), of('bare')];
  const ratio = { p50: rounded(ours.p50 / theirs.p50), p99: rounded(ours.p99 / theirs.p99) };
  return { groupSize, senders, perSecond, platform: ours, bare: theirs, ratio, turns, goals: {} };
};

type Hear = (name: string, payload: unknown) => void;

async function platformSide(platform: Parameters<BenchPart>[0], hear: Hear): Promise<Side> {
  const [first = '', second = ''] = platform.gateways;
  const accounts = await createAccounts(platform.gateways, groupSize);
  const conversationId = await openGroup(first, accounts);
  const sockets = await inParallel(groupSize, 16, (index) =>
    LeanSocket.connect({
      url: index < senders ? first : second,
      auth: { token: accounts[index]?.token },
      onEvent: index < senders ? () => undefined : hear,
    }),
  );
  return { sockets, lanes: lanesOf(sockets, conversationId), processes: platform.processes() };
}

async function bareSide(relays: readonly { url: string; pid: number }[], redis: number, hear: Hear): Promise<Side> {
  const conversationId = randomUUID();
  const sockets = await inParallel(groupSize, 16, (index) =>
    LeanSocket.connect({
      url: relays[index < senders ? 0 : 1]?.url ?? '',
      auth: { userId: randomUUID(), rooms: [conversationId] },
      onEvent: index < senders ? () => undefined : hear,
    }),
  );
  const processes = [
    ...relays.map(({ pid }, index) => ({ name: `relay-${index}`, pid })),
    { name: 'redis', pid: redis },
  ];
  return { sockets, lanes: lanesOf(sockets, conversationId), processes };
}

const lanesOf = (sockets: LeanSocket[], conversationId: string): Lane[] =>
  sockets.slice(0, senders).map((sender) => ({ sender, conversationId, readers: groupSize - senders }));
