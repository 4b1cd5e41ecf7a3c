import type { Clock } from '@bluewave/runtime/clock';

/** An entry's place in the outbox: held from before its insert until nothing of it is left to do. */
export type Hold = { readonly at: number; readonly id: number };

/**
 * The outbox of one process, by watermark: instead of a flag in each entry, the process remembers which of its
 * entries are not known to be refused, published and projected. The least time it remembers is its watermark:
 * everything it wrote before is done. Times never run backwards, so holds are kept in the order of their times.
 */
export class Outbox {
  readonly #clock: Clock;
  readonly #held = new Map<number, number>();
  #lastAt = 0;
  #nextId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of entries that are held. */
  get size(): number {
    return this.#held.size;
  }

  /** A time for a new entry, never before an earlier one, and its hold. Taken before the insert is sent. */
  hold(): Hold {
    this.#lastAt = Math.max(this.#lastAt, this.#clock());
    const hold = { at: this.#lastAt, id: this.#nextId++ };
    this.#held.set(hold.id, hold.at);
    return hold;
  }

  /** Nothing is left to do: refused for certain, or published and projected. Idempotent. */
  release(hold: Hold): void {
    this.#held.delete(hold.id);
  }

  /** Every entry of this process with `at` below is done. */
  watermark(): number {
    for (const at of this.#held.values()) return at;
    // Nothing is held: the next entry is stamped no earlier than this.
    this.#lastAt = Math.max(this.#lastAt, this.#clock());
    return this.#lastAt;
  }
}
