import type { Clock } from '@bluewave/runtime/clock';
import { pause } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import type { SearchIndex } from '../search/search-index.ts';
import { lookAgainMs, planOf } from './plan.ts';
import type { Archiving, JobLeases, RetentionStore } from './retention-store.ts';

export type RetentionOptions = {
  store: RetentionStore;
  leases: JobLeases;
  index: Pick<SearchIndex, 'coveredTo' | 'forget'>;
  /** Entries older than this leave the log, milliseconds. */
  keepMs: number;
  /** How often it is looked, give or take half. */
  sweepMs: number;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** This process, to the others. */
  holder: string;
  log: Logger;
  sizes?: RetentionSizes;
  /** Told of each run that came to its end, and of entries that are in the archive. */
  onRun(at: number): void;
  onArchived(entries: number): void;
};

export type RetentionSizes = {
  /** Conversations of one query. */
  conversations: number;
  /** First entries of a log that one look goes through: the rest is for the next. */
  looked: number;
  /** Entries that are moved at once. */
  entries: number;
  /**
   * What nobody can read any more stays in the log for this long, milliseconds: until whoever read it before has done
   * what they wanted with it. Longer than any request, and more than clocks disagree.
   */
  settleMs: number;
};

export const retentionSizes: RetentionSizes = { conversations: 100, looked: 5_000, entries: 200, settleMs: 30_000 };

const job = 'retention';
const leaseMs = 60_000;

/**
 * Moves entries that are older than what is kept from the beginnings of logs to the archive. First a floor is set and
 * all members are led to it; a run later, when every entry from before that is published and projected, what is below
 * is copied and removed. One process at a time does it, for economy: every step may be done twice or be cut off.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #sizes: RetentionSizes;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #heldUntil = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#sizes = options.sizes ?? retentionSizes;
    this.#running = this.#run();
  }

  /** Moves what may be moved and sets floors where entries became old. Rejects when the store is away. */
  async runOnce(): Promise<void> {
    const { store, clock, keepMs, onRun } = this.#options;
    if (!(await this.#hold())) return;
    const done = Math.min(clock(), await store.doneUpTo());
    await this.#goOn(done);
    await this.#begin(Math.min(done, clock() - keepMs));
    if (!this.#abort.signal.aborted) onRun(clock());
  }

  /** Ends after the step that is under way. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    await this.#running;
    if (this.#heldUntil > 0) await this.#options.leases.release(job, this.#options.holder);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { sweepMs, random, log } = this.#options;
    while (!signal.aborted) {
      await pause(sweepMs * (0.5 + random()), signal);
      if (signal.aborted) return;
      await this.runOnce().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, 'old entries will be moved later');
      });
    }
  }

  /** Whether this process goes on: it is not closed, and no other one took the job. */
  async #hold(): Promise<boolean> {
    const { leases, holder, clock } = this.#options;
    if (this.#abort.signal.aborted) return false;
    const now = clock();
    if (now < this.#heldUntil - leaseMs / 2) return true;
    const isHeld = await leases.hold(job, holder, now, leaseMs);
    this.#heldUntil = isHeld ? now + leaseMs : 0;
    return isHeld;
  }

  /** @param done every entry from before this time is published and projected. */
  async #goOn(done: number): Promise<void> {
    const { store } = this.#options;
    const { conversations } = this.#sizes;
    for (let after: Archiving | null = null; ;) {
      const some: Archiving[] = await store.underWay(after, conversations);
      for (const one of some) {
        if (!one.hidden) await this.#each(one.conversationId, () => this.#hide(one));
        else if (one.since + this.#sizes.settleMs <= done) await this.#each(one.conversationId, () => this.#move(one));
      }
      after = some.at(-1) ?? null;
      if (some.length < conversations || !(await this.#hold())) return;
    }
  }

  async #begin(olderThan: number): Promise<void> {
    const { store } = this.#options;
    // What failed is due again at once: it waits for the next run.
    const failed = new Set<string>();
    while (await this.#hold()) {
      const due = await store.due(olderThan, this.#sizes.conversations);
      const some = due.filter((id) => !failed.has(id));
      if (some.length === 0) return;
      for (const id of some) {
        if (!(await this.#each(id, () => this.#look(id, olderThan)))) failed.add(id);
      }
    }
  }

  /** One conversation that cannot be seen to is not in the way of the others. @returns whether it could. */
  async #each(conversationId: string, work: () => Promise<void>): Promise<boolean> {
    if (!(await this.#hold())) return false;
    try {
      await work();
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error, conversationId }, 'old entries of a conversation will be moved later');
      return false;
    }
  }

  async #look(conversationId: string, olderThan: number): Promise<void> {
    const { store, index, clock } = this.#options;
    // Asked first: what is covered only grows.
    const coveredTo = await index.coveredTo(conversationId);
    const ends = await store.look(conversationId, olderThan, this.#sizes.looked);
    if (!ends) return store.lookLater(conversationId, olderThan + lookAgainMs);
    const { floor, lookFrom } = planOf(ends, coveredTo, olderThan);
    if (floor === ends.first) return store.lookLater(conversationId, lookFrom);
    const since = clock();
    if (!(await store.begin(conversationId, floor, lookFrom, since))) return;
    await this.#hide({ conversationId, floor, since, hidden: false });
  }

  async #hide({ conversationId, floor }: Archiving): Promise<void> {
    const { store, clock } = this.#options;
    for (let after: string | null = null; await this.#hold();) {
      after = await store.hide(conversationId, floor, after);
      if (after === null) return store.noteHidden(conversationId, floor, clock());
    }
  }

  async #move({ conversationId, floor }: Archiving): Promise<void> {
    const { store, index, clock, onArchived } = this.#options;
    while (await this.#hold()) {
      const seqs = await store.copy(conversationId, floor, this.#sizes.entries, clock());
      if (seqs.length === 0) {
        await index.forget(conversationId, floor);
        return store.finish(conversationId, floor);
      }
      await store.removeMarks(conversationId, seqs);
      await store.removeEntries(conversationId, seqs);
      onArchived(seqs.length);
    }
  }
}
