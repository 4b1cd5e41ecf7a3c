import { createHash } from 'node:crypto';
import { EntryPublisher } from '../../src/events/entry-publisher.ts';
import type { AppendRequest, AppendResult } from '../../src/log/append.ts';
import { BootLease } from '../../src/log/boot-lease.ts';
import type { LogEntry } from '../../src/log/entry.ts';
import type { EntryStore, InsertOutcome } from '../../src/log/entry-store.ts';
import { LaneCache } from '../../src/log/lane-cache.ts';
import { LogWriter } from '../../src/log/log-writer.ts';
import { Outbox } from '../../src/log/outbox.ts';
import { Recovery } from '../../src/log/recovery.ts';
import { UnknownOutcomes } from '../../src/log/unknown-outcomes.ts';
import { testLog as log } from './environment.ts';
import {
  createMemoryBootStore,
  createMemoryEntryStore,
  createMemoryProjectionStore,
  createMemorySharedReads,
} from './memory-entry-store.ts';
import { nth } from './nth.ts';
import type { Outage, SimulatedWorld } from './simulated-world.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = new Promise<never>(() => undefined);

const leaseMs = 10_000;

export type Fate = {
  /** Infinity for one that lives. */
  diesAtStep: number;
  /** What its clock is ahead. */
  skewMs: number;
  /** While it cannot renew its lease. */
  leaseOutage: Outage;
};

/** One process of the chat service in a simulated world: its whole log, real code, until it dies. */
export class SimulatedProcess {
  alive = true;
  /** Accesses to stores so far, each counted before and after. */
  steps = 0;
  readonly outbox: Outbox;
  readonly #world: SimulatedWorld;
  readonly #fate: Fate;
  readonly #boots: string[] = [];
  readonly #writer: LogWriter;
  readonly #dispose: (() => Promise<void>)[];

  /** @param maxKept unpublished entries that it keeps in memory. */
  constructor(world: SimulatedWorld, name: string, fate: Fate, maxKept: number) {
    this.#world = world;
    this.#fate = fate;
    const clock = () => Date.now() + fate.skewMs;
    const entries = this.#entryStore();
    const bootStore = createMemoryBootStore(world.log, this.#step);
    const boots = { ...bootStore, write: this.#writeBoot(bootStore.write) };
    this.outbox = new Outbox(clock);
    const { outbox } = this;
    const newBoot = () => this.#newBoot(name);
    const lease = new BootLease({ store: boots, outbox, clock, newBoot, log, leaseMs, renewMs: 1_000 });
    const publisher = new EntryPublisher({
      ...this.#bus(),
      ...{ entries, outbox, log, maxKept },
      reads: createMemorySharedReads(world.log, this.#step),
      projections: createMemoryProjectionStore(world.log, this.#step),
      onPublished: () => undefined,
    });
    const redo = (entry: LogEntry, signal: AbortSignal) => publisher.redo(entry, signal);
    const recovery = new Recovery({ boots, entries, redo, clock, leaseMs, intervalMs: 2_000, log });
    const unknown = new UnknownOutcomes(entries, outbox, clock, (entry, hold, traceId) =>
      publisher.take(entry, hold, traceId, undefined),
    );
    const { random } = world;
    this.#writer = new LogWriter({
      ...{ store: entries, lease, outbox, unknown, lanes: new LaneCache(20), clock, random, log },
      onCommitted: (entry, hold, traceId, state) => publisher.take(entry, hold, traceId, state),
    });
    this.#dispose = [() => unknown.close(), () => recovery.close(), () => publisher.close(0), () => lease.close()];
  }

  /** Settles as the append does; never, once this process is dead. */
  append(request: AppendRequest): Promise<AppendResult> {
    const gone = <T>(value: T): T | Promise<never> => (this.alive ? value : never);
    return this.#writer.append(request).then(gone, async (error: unknown) => {
      await gone(undefined);
      throw error;
    });
  }

  /** Stops for ever, wherever it is: what it sent is on its way, what it holds in memory is gone. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    // Timers end at once; what closing would ask of the stores is not heard any more.
    for (const dispose of this.#dispose) void dispose();
  }

  #newBoot(name: string): string {
    const hex = createHash('sha256').update(`${name}/${this.#boots.length}`).digest('hex');
    const boot = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
    this.#boots.push(boot);
    return boot;
  }

  #step = async (): Promise<void> => {
    const world = this.#world;
    this.steps += 1;
    if (this.steps === this.#fate.diesAtStep) this.die();
    if (!this.alive) return never;
    await pause(world.happens('slow') ? world.between(100, 1_500) : world.between(0, 4));
    if (!this.alive) return never;
    if (!world.storeIsUp || world.happens('failedRead')) throw new Error('the store is away');
  };

  #writeBoot(write: (record: { boot: string; watermark: number; leaseUntil: number }) => Promise<void>) {
    return (record: { boot: string; watermark: number; leaseUntil: number }): Promise<void> => {
      if (!this.alive) return never;
      const world = this.#world;
      if (world.isDuring(this.#fate.leaseOutage)) return Promise.reject(new Error('the lease cannot be renewed'));
      world.noteWatermark(record.boot, record.watermark, this.#boots);
      // A renewal that takes longer than the lease: the process finds itself without one.
      return world.happens('slow') ? pause(world.between(1_000, 15_000)).then(() => write(record)) : write(record);
    };
  }

  #entryStore(): EntryStore {
    const reads = createMemoryEntryStore(this.#world.log, this.#step);
    return { ...reads, insert: (entries, ordered) => this.#insert(entries, ordered) };
  }

  async #insert(entries: readonly LogEntry[], ordered: boolean): Promise<InsertOutcome[]> {
    const world = this.#world;
    world.noteInsert(entries, this.#fate.skewMs);
    const unknown = entries.map((): InsertOutcome => 'unknown');
    try {
      await this.#step();
    } catch {
      return unknown;
    }
    const lost = world.happens('unknownInsert');
    const arrives = !lost || world.random() < 0.7;
    const answer = arrives ? this.#send(entries, ordered, lost ? world.lateness() : world.between(0, 4)) : never;
    const timeout = lost ? pause(world.between(0, 1_500)).then(() => unknown) : never;
    const outcomes = await Promise.race([answer, timeout]);
    await this.#step().catch(() => undefined);
    return lost ? unknown : outcomes;
  }

  /** What was sent arrives, whether its sender lives or not. */
  async #send(entries: readonly LogEntry[], ordered: boolean, delayMs: number): Promise<InsertOutcome[]> {
    const world = this.#world;
    await pause(delayMs);
    const outcomes = this.#apply(entries, ordered);
    outcomes.forEach((outcome, index) => {
      if (outcome === 'inserted') world.noteWritten(nth(entries, index), this.#boots);
    });
    const { end } = world.log;
    const { term } = world;
    await pause(world.between(0, 6));
    if (world.happens('failover')) world.failOver();
    if (world.term !== term) return entries.map(() => 'unknown');
    world.log.commit(end);
    return outcomes;
  }

  /** Writes a batch; one of its documents may be refused for a reason that says nothing. */
  #apply(entries: readonly LogEntry[], ordered: boolean): InsertOutcome[] {
    const { log } = this.#world;
    if (!this.#world.happens('unknownDocument')) return log.apply(entries, ordered);
    const odd = this.#world.between(0, entries.length - 1);
    const outcomes = log.apply(entries.slice(0, odd), ordered);
    const rest = entries.slice(odd + 1);
    if (!ordered) return [...outcomes, 'unknown', ...log.apply(rest, ordered)];
    const stopped = outcomes.some((outcome) => outcome !== 'inserted');
    return [...outcomes, stopped ? 'not-tried' : 'unknown', ...rest.map((): InsertOutcome => 'not-tried')];
  }

  #bus() {
    const world = this.#world;
    const lives = () => this.alive;
    return {
      bus: {
        get connected() {
          return lives() && world.busIsUp;
        },
        publish: () => lives() && world.busIsUp,
      },
      stream: {
        publish: (_subject: string, id: string, data: Uint8Array, done: (outcome: 'acked' | 'failed') => void) => {
          if (!lives()) return;
          if (!world.busIsUp) return done('failed');
          const lost = world.happens('lostPublish');
          const kept = !lost || world.random() < 0.5;
          setTimeout(
            () => {
              if (kept) world.hold(id, data);
              if (lives()) done(lost ? 'failed' : 'acked');
            },
            lost ? 3_000 : world.between(0, 4),
          );
        },
        close: () => undefined,
      },
    };
  }
}
