import type { Platform } from '@bluewave/dev-env/platform';
import { type BenchOptions, type BenchPart } from './bench-options.ts';
import { cpuPerMessage, cpuSeconds, type NamedProcess } from './cpu.ts';
import { median } from './gather.ts';
import { closedLoop, type Lane, LoadMeter, type LoadResult, openLoop } from './load.ts';
import { connectGroup, connectPairs, connectRelayPairs, type CurrentMeter } from './platform-lanes.ts';
import { startRelay } from './relay.ts';

type Measured = LoadResult & { cpuMicrosPerMessage: { total: number; byProcess: Record<string, number> } };

const pairs = 50;
const outstanding = 4;
const groupSize = 100;
const openLoopPerSecond = 500;

/** Sending: the figures of one run with the goals among them. */
export const measureMessages: BenchPart = async (platform, options) => {
  const figures = await runBench(platform, options);
  const platformRate = median(figures.turns.map((turn) => turn.platform.ackedPerSecond));
  const relayRate = median(figures.turns.map((turn) => turn.relay.ackedPerSecond));
  const goals = {
    rateToRelay: { value: Math.round((platformRate / relayRate) * 1_000) / 1_000, atLeast: 0.25 },
    cpuMicrosPerMessage: {
      value: median(figures.turns.map((turn) => turn.platform.cpuMicrosPerMessage.total)),
      atMost: 220,
    },
    openLoopAckP50Ms: { value: figures.open.ack.p50, below: 3 },
    openLoopAckP99Ms: { value: figures.open.ack.p99, below: 10 },
  };
  return { platformRate, relayRate, goals, ...figures };
};

/** All figures of one run; the relay is the baseline of the ratio. */
async function runBench(platform: Platform, { seconds, rounds, report }: BenchOptions) {
  const current: CurrentMeter = { meter: new LoadMeter() };
  const measure = async (
    processes: () => NamedProcess[],
    load: (meter: LoadMeter, seconds: number) => Promise<void>,
    length: number,
  ): Promise<Measured> => {
    const meter = new LoadMeter();
    current.meter = meter;
    const before = cpuSeconds(processes());
    const started = performance.now();
    await load(meter, length);
    const took = (performance.now() - started) / 1_000;
    const result = await meter.result(took);
    return { ...result, cpuMicrosPerMessage: cpuPerMessage(before, cpuSeconds(processes()), result.acked) };
  };
  const closed = (lanes: Lane[]) => (meter: LoadMeter, length: number) => closedLoop(meter, lanes, outstanding, length);

  report(`connecting ${pairs} pairs to the platform and to the relay`);
  const relay = await startRelay();
  const own = await connectPairs(platform, pairs, current);
  const bare = await connectRelayPairs(relay.url, pairs, current);
  const servers = () => platform.processes();
  const relayServer = () => [{ name: 'relay', pid: relay.pid }];
  await measure(servers, closed(own.lanes), 2);
  await measure(relayServer, closed(bare.lanes), 1);

  const turns: { platform: Measured; relay: Measured }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const relayed = await measure(relayServer, closed(bare.lanes), seconds);
    const sent = await measure(servers, closed(own.lanes), seconds);
    turns.push({ platform: sent, relay: relayed });
    report(`round ${round}: platform ${sent.ackedPerSecond}/s, relay ${relayed.ackedPerSecond}/s`);
  }
  const open = await measure(
    servers,
    (meter, length) => openLoop(meter, own.lanes, openLoopPerSecond, length),
    seconds,
  );
  report(`open loop ${openLoopPerSecond}/s: ack p50 ${open.ack.p50} ms, p99 ${open.ack.p99} ms`);
  own.close();
  bare.close();
  await relay.close();

  const group = await connectGroup(platform, groupSize, current);
  const fanOut = await measure(servers, (meter, length) => closedLoop(meter, group.lanes, 1, length), seconds);
  report(
    `group of ${groupSize}: ${fanOut.ackedPerSecond} messages/s, ${Math.round(fanOut.delivered / fanOut.seconds)} deliveries/s`,
  );
  group.close();
  return {
    pairs,
    outstanding,
    turns,
    open: { perSecond: openLoopPerSecond, ...open },
    group: { size: groupSize, ...fanOut },
  };
}
