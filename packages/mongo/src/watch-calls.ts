import { type Clock, systemClock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import { currentTraceId } from '@bluewave/runtime/trace';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { OnCall } from './deadlined-stores.ts';

/** Calls that take `slowMs` or longer are logged and counted; 0 leaves all calls alone. */
export type CallWatch = { slowMs: number; metrics: Registry; log: Logger; clock?: Clock };

/** A server that is slow with everything must not make the log its next problem. */
const linesASecond = 10;

/**
 * Times the calls of stores as their callers feel them: waiting for a connection is in it. What is slow is named by
 * store and call alone: arguments hold what people wrote.
 * @returns what hears of each call, for `deadlinedStores`; undefined where nothing is to be watched
 */
export function watchCalls({ slowMs, metrics, log, clock = systemClock }: CallWatch): OnCall | undefined {
  if (slowMs === 0) return undefined;
  const observe = callTimes(metrics);
  const tellSlow = slowTeller(metrics, log, clock);
  return (store, call, ms, failed) => {
    observe(store, ms / 1_000);
    if (ms >= slowMs) tellSlow({ store, call, ms: Math.round(ms), failed });
  };
}

type SlowCall = { store: string; call: string; ms: number; failed: boolean };

function callTimes(metrics: Registry): (store: string, seconds: number) => void {
  const histogram = new Histogram({
    name: 'bluewave_mongodb_call_seconds',
    help: 'Time from a call of a store to its answer, by store',
    labelNames: ['store'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [metrics],
  });
  // Children are kept: looking one up by its labels costs more than counting.
  const children = new Map<string, { observe(seconds: number): void }>();
  return (store, seconds) => {
    let child = children.get(store);
    if (!child) children.set(store, (child = histogram.labels(store)));
    child.observe(seconds);
  };
}

/** Counts all, and logs as many as may be told; a line says how many before it were not. */
function slowTeller(metrics: Registry, log: Logger, clock: Clock): (slow: SlowCall) => void {
  const counter = new Counter({
    name: 'bluewave_mongodb_slow_calls_total',
    help: 'Calls that took SLOW_QUERY_MS or longer, by store and call',
    labelNames: ['store', 'call'],
    registers: [metrics],
  });
  let [second, lines, untold] = [0, 0, 0];
  return ({ store, call, ms, failed }) => {
    counter.inc({ store, call });
    const now = Math.floor(clock() / 1_000);
    if (now !== second) [second, lines] = [now, 0];
    if ((lines += 1) > linesASecond) {
      untold += 1;
      return;
    }
    const more = { ...(failed ? { failed } : {}), ...(untold > 0 ? { untold } : {}) };
    log.warn({ store, call, ms, ...more, traceId: currentTraceId() }, 'a call to MongoDB was slow');
    untold = 0;
  };
}
