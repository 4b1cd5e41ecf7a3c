import type { Clock } from '@bluewave/runtime/clock';
import { pause } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import type { EntryStore } from '../log/entry-store.ts';
import type { SearchIndex } from './search-index.ts';

export type IndexerOptions = {
  index: SearchIndex;
  entries: Pick<EntryStore, 'readAfter'>;
  clock: Clock;
  log: Logger;
  timings?: IndexerTimings;
};

export type IndexerTimings = {
  /** How often it looks what is due, milliseconds. */
  tickMs: number;
  /** A conversation is indexed when it was quiet for this long... */
  quietMs: number;
  /** ...or when its first entry that is not indexed is this old... */
  oldMs: number;
  /** ...or when so many entries are not indexed. */
  tailEntries: number;
  /** Conversations that each tick looks at in turn, for what nobody heard of. */
  sweep: number;
};

export const indexerTimings: IndexerTimings = {
  tickMs: 1_000,
  quietMs: 5_000,
  oldMs: 30_000,
  tailEntries: 128,
  sweep: 100,
};

type Heard = { from: number; last: number; firstAt: number; lastAt: number };

/** Entries of one read, and reads of one conversation before others have their turn. */
const readAtOnce = 256;
const readsInTurn = 16;
/** Conversations that are remembered; the sweep finds the others. */
const mostHeard = 50_000;

/**
 * Has the index follow the logs: soon after it hears of entries, and for those that nobody heard of (of a process that
 * died, or from before there was an index) by looking at all conversations in turn. Several processes may do the same
 * work at once. What is not indexed yet is read by searches, so this is never in a hurry.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #timings: IndexerTimings;
  readonly #heard = new Map<string, Heard>();
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #sweptTo: string | null = null;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#timings = options.timings ?? indexerTimings;
    this.#running = this.#run();
  }

  /** Notes that a conversation has a new entry. Returns at once. */
  hear(conversationId: string, seq: number): void {
    const now = this.#options.clock();
    const known = this.#heard.get(conversationId);
    if (known) {
      known.last = Math.max(known.last, seq);
      known.lastAt = now;
    } else if (this.#heard.size < mostHeard) {
      this.#heard.set(conversationId, { from: seq, last: seq, firstAt: now, lastAt: now });
    }
  }

  /** Indexes all that is due. Rejects when the store is away. */
  async runOnce(): Promise<void> {
    const now = this.#options.clock();
    const { quietMs, oldMs, tailEntries } = this.#timings;
    const due: string[] = [];
    for (const [id, { from, last, firstAt, lastAt }] of [...this.#heard]) {
      if (now - lastAt < quietMs && now - firstAt < oldMs && last - from < tailEntries) continue;
      this.#heard.delete(id);
      due.push(id);
    }
    await this.#followAll(due);
    await this.#followAll(await this.#sweep());
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await pause(this.#timings.tickMs, signal);
      if (signal.aborted) return;
      await this.runOnce().catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ err: error }, 'the search index will be brought on later');
      });
    }
  }

  /** The next conversations that nobody heard of and whose log goes on after what is indexed. */
  async #sweep(): Promise<string[]> {
    const { behind, lastId } = await this.#options.index.findBehind(this.#sweptTo, this.#timings.sweep);
    this.#sweptTo = lastId;
    return behind.filter((id) => !this.#heard.has(id));
  }

  /** Brings the index of conversations up to their logs, in turn, so that a long one does not hold up the others. */
  async #followAll(ids: string[]): Promise<void> {
    for (let queue = ids; queue.length > 0;) {
      const unfinished: string[] = [];
      for (const id of queue) {
        if (this.#abort.signal.aborted) return;
        if (!(await this.#follow(id))) unfinished.push(id);
      }
      queue = unfinished;
    }
  }

  /** @returns whether the end of the log was reached. */
  async #follow(conversationId: string): Promise<boolean> {
    const { index, entries } = this.#options;
    for (let reads = 0; reads < readsInTurn; reads += 1) {
      const after = await index.coveredTo(conversationId);
      const next = await entries.readAfter(conversationId, after, readAtOnce);
      // Somebody else was quicker, and retention after them.
      if (next[0] && next[0].seq !== after + 1) return true;
      if (next.length > 0) await index.cover(conversationId, after, next);
      if (next.length < readAtOnce || this.#abort.signal.aborted) return true;
    }
    return false;
  }
}
