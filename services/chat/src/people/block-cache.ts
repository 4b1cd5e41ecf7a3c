import type { Clock } from '@bluewave/runtime/clock';
import { LRUCache } from 'lru-cache';
import type { Pair, PeopleStore } from './people-store.ts';

export type BlockCacheOptions = {
  store: Pick<PeopleStore, 'inForce'>;
  clock: Clock;
  /** Pairs remembered at most. */
  size?: number;
};

/** What was read is used for this long, whatever was or was not heard since. */
const freshMs = 5_000;
/** Pairs read in one query. */
const pairsAtOnce = 500;

type Known = { blocked: boolean; readAt: number };
type Read = { pair: Pair; outdated: boolean; done: Promise<void> };
export type Verdict = 'blocked' | 'open' | 'unknown';

/**
 * Who has blocked whom, as this process knows it: never older than 5 s, and never older than a change that was made
 * here or heard of. While a change is being made here the pair is unknown, and whoever wants to know waits for it.
 */
export class BlockCache {
  readonly #options: BlockCacheOptions;
  readonly #known: LRUCache<string, Known>;
  readonly #reads = new Map<string, Read>();
  readonly #changing = new Map<string, Promise<unknown>>();
  #batch: Read[] = [];
  #batchDone: Promise<void> | undefined;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
    this.#known = new LRUCache({ max: options.size ?? 100_000 });
  }

  /** What is known of a pair, not older than 5 s and read at `notBefore` (milliseconds since the epoch) or later. */
  verdict(pair: Pair, notBefore = 0): Verdict {
    const key = keyOf(pair);
    if (this.#changing.has(key)) return 'unknown';
    const known = this.#known.get(key);
    if (!known || known.readAt < notBefore || this.#options.clock() - known.readAt >= freshMs) return 'unknown';
    return known.blocked ? 'blocked' : 'open';
  }

  /** Reads pairs again, in one query with all that others want to know in this turn. Rejects when the store is away. */
  async read(pairs: readonly Pair[]): Promise<void> {
    await Promise.all(pairs.map((pair) => this.#readOne(pair)));
  }

  /** Makes a change of a pair: from now on until it settles nobody relies on what was before. */
  async change<T>(pair: Pair, make: () => Promise<T>): Promise<T> {
    const key = keyOf(pair);
    const before = this.#changing.get(key) ?? Promise.resolve();
    // One after the other, so that what is read after the last is what it left.
    const made = before.then(make, make);
    this.#changing.set(key, made);
    this.forget(pair);
    try {
      return await made;
    } finally {
      if (this.#changing.get(key) === made) this.#changing.delete(key);
      this.forget(pair);
    }
  }

  /** Another process changed the pair. */
  forget(pair: Pair): void {
    const key = keyOf(pair);
    this.#known.delete(key);
    const read = this.#reads.get(key);
    if (read) read.outdated = true;
  }

  /** Changes were not heard for a while. */
  forgetAll(): void {
    this.#known.clear();
    for (const read of this.#reads.values()) read.outdated = true;
  }

  async #readOne(pair: Pair): Promise<void> {
    const key = keyOf(pair);
    for (;;) {
      await this.#changing.get(key)?.catch(() => undefined);
      const read = this.#reads.get(key) ?? this.#begin(key, pair);
      await read.done;
      if (!read.outdated && !this.#changing.has(key)) return;
    }
  }

  #begin(key: string, pair: Pair): Read {
    if (this.#batch.length === pairsAtOnce) this.#batchDone = undefined;
    if (!this.#batchDone) {
      this.#batch = [];
      this.#batchDone = this.#readBatch(this.#batch);
    }
    const read: Read = { pair, outdated: false, done: this.#batchDone };
    this.#batch.push(read);
    this.#reads.set(key, read);
    return read;
  }

  async #readBatch(batch: Read[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#batch === batch) this.#batchDone = undefined;
    const readAt = this.#options.clock();
    try {
      const blocked = new Set((await this.#options.store.inForce(batch.map(({ pair }) => pair))).map(keyOf));
      for (const { pair, outdated } of batch) {
        const key = keyOf(pair);
        if (!outdated) this.#known.set(key, { blocked: blocked.has(key), readAt });
      }
    } finally {
      for (const read of batch) {
        const key = keyOf(read.pair);
        if (this.#reads.get(key) === read) this.#reads.delete(key);
      }
    }
  }
}

function keyOf({ blocker, blocked }: Pair): string {
  return `${blocker}/${blocked}`;
}
