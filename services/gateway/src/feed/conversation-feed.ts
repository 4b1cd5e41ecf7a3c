import type { Timers } from './timers.ts';

/** Anything that has a place in a log. */
export type Sequenced = { seq: number };

/** Entries of a log in ascending order, without holes, and how far the log reached when they were read. */
export type FeedPage<E> = { entries: E[]; head: number };

export type ConversationFeedOptions<E extends Sequenced, P> = {
  /** The last seq that is not delivered: delivery begins with the one after it. */
  head: number;
  /** Reads entries after a seq from the log. Rejections are retried with back-off. */
  fetchAfter(seq: number): Promise<FeedPage<E>>;
  /** Makes an entry ready for delivery; the next one waits for it. Rejections are retried with back-off. */
  prepare(entry: E): P | Promise<P>;
  /** Hands an entry on, at once. What it throws goes to `onError`; the entry counts as delivered. */
  deliver(prepared: P, entry: E): void;
  onError(error: unknown): void;
  timers: Timers;
  /** 0 to 1, spreads retries. */
  random?: () => number;
  /** How long a gap may close by itself before the log is asked, milliseconds. */
  holdMs?: number;
  /** Entries held beyond a gap; of later ones only the seq is remembered, they are read again. */
  maxHeld?: number;
};

const firstRetryMs = 100;
const lastRetryMs = 2_000;

/**
 * One conversation's entries in order: takes them as the bus brings them (late, twice, never) and delivers each
 * exactly once, head + 1, head + 2, ... without a hole. What is missing is read from the log: after a short hold when
 * a later entry or a beacon shows that it exists, and again until it is there.
 */
export class ConversationFeed<E extends Sequenced, P> {
  readonly #options: ConversationFeedOptions<E, P>;
  readonly #holdMs: number;
  readonly #maxHeld: number;
  readonly #held = new Map<number, E>();
  #next: number;
  #known: number;
  #busy = false;
  #fetching = false;
  #failures = 0;
  /** Preparing failed: the next try waits for the timer, whatever is heard meanwhile. */
  #paused = false;
  /** The last page ended before the head: the next one is asked for without a hold. */
  #behind = false;
  #timer: (() => void) | undefined;
  #timerFor = 0;
  #closed = false;

  constructor(options: ConversationFeedOptions<E, P>) {
    this.#options = options;
    this.#holdMs = options.holdMs ?? 100;
    this.#maxHeld = options.maxHeld ?? 512;
    this.#next = options.head + 1;
    this.#known = options.head;
  }

  /** The seq after which delivery began. */
  get start(): number {
    return this.#options.head;
  }

  /** Last seq that was delivered. */
  get delivered(): number {
    return this.#next - 1;
  }

  /** Highest seq that is known to exist. */
  get known(): number {
    return this.#known;
  }

  /** Entries that wait for an earlier one. */
  get held(): number {
    return this.#held.size;
  }

  /** Takes an entry as it was heard, in any order and any number of times. */
  offer(entry: E): void {
    if (this.#closed || entry.seq < this.#next) return;
    if (entry.seq > this.#known) this.#known = entry.seq;
    if (entry.seq === this.#next || this.#held.size < this.#maxHeld) this.#held.set(entry.seq, entry);
    this.#pump();
  }

  /** Learns that the log reaches `seq`, from a beacon or a read. `urgent` asks the log without the hold. */
  reach(seq: number, urgent = false): void {
    if (this.#closed || seq < this.#next) return;
    if (seq > this.#known) this.#known = seq;
    if (urgent && !this.#fetching) {
      this.#behind = true;
      this.#cancelTimer();
    }
    this.#pump();
  }

  /** Delivers nothing more. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#held.clear();
  }

  #pump(): void {
    while (!this.#busy && !this.#paused && !this.#closed) {
      const entry = this.#held.get(this.#next);
      if (!entry) return this.#watchGap();
      try {
        const prepared = this.#options.prepare(entry);
        if (prepared instanceof Promise) return this.#wait(prepared, entry);
        this.#deliver(prepared, entry);
      } catch (error) {
        return this.#pause(error);
      }
    }
  }

  #wait(preparing: Promise<P>, entry: E): void {
    this.#busy = true;
    preparing.then(
      (prepared) => {
        this.#busy = false;
        if (this.#closed) return;
        this.#deliver(prepared, entry);
        this.#pump();
      },
      (error: unknown) => {
        this.#busy = false;
        this.#pause(error);
      },
    );
  }

  /**
   * Nothing may run between handing on and counting on: who joins in between would miss an entry. What is reached
   * meanwhile waits: whom this entry lets in is not in yet.
   */
  #deliver(prepared: P, entry: E): void {
    this.#held.delete(entry.seq);
    this.#next = entry.seq + 1;
    this.#failures = 0;
    this.#busy = true;
    try {
      this.#options.deliver(prepared, entry);
    } catch (error) {
      this.#options.onError(error);
    }
    this.#busy = false;
  }

  #watchGap(): void {
    if (this.#closed || this.#fetching || this.#timer) return;
    if (this.#known < this.#next) {
      this.#behind = false;
      return;
    }
    if (this.#behind && this.#failures === 0) return this.#fetch();
    this.#timerFor = this.#next;
    this.#arm(this.#failures > 0 ? this.#backOffMs() : this.#holdMs);
  }

  #arm(ms: number): void {
    this.#timer = this.#options.timers.after(ms, () => {
      this.#timer = undefined;
      this.#paused = false;
      const stillMissing = this.#known >= this.#next && !this.#held.has(this.#next);
      const gapIsOld = this.#timerFor === this.#next || this.#failures > 0;
      if (stillMissing && gapIsOld && !this.#fetching) this.#fetch();
      else this.#pump();
    });
  }

  #fetch(): void {
    this.#fetching = true;
    const from = this.#next;
    this.#options.fetchAfter(from - 1).then(
      (page) => {
        this.#fetching = false;
        if (!this.#closed) this.#take(page, from);
      },
      (error: unknown) => {
        this.#fetching = false;
        this.#retryLater(error);
      },
    );
  }

  #take(page: FeedPage<E>, from: number): void {
    if (page.head > this.#known) this.#known = page.head;
    for (const entry of page.entries) if (entry.seq >= this.#next) this.#held.set(entry.seq, entry);
    const gained = this.#next > from || this.#held.has(this.#next);
    // A log that does not have what the bus has told of: ask again, but not in a loop.
    this.#failures = gained ? 0 : this.#failures + 1;
    this.#behind = gained;
    this.#pump();
  }

  #pause(error: unknown): void {
    this.#paused = true;
    this.#retryLater(error);
  }

  #retryLater(error: unknown): void {
    if (this.#closed) return;
    this.#failures += 1;
    this.#options.onError(error);
    this.#cancelTimer();
    this.#arm(this.#backOffMs());
  }

  #backOffMs(): number {
    const full = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 10));
    return full * (0.5 + (this.#options.random ?? Math.random)() / 2);
  }

  #cancelTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
