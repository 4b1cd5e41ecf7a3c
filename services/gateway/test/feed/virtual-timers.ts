import { setImmediate } from 'node:timers/promises';
import type { Timers } from '../../src/feed/timers.ts';

/** Timers on a clock that stands still until it is moved. */
export class VirtualTimers implements Timers {
  #now = 0;
  #next = 0;
  readonly #waiting = new Map<number, { at: number; run: () => void }>();

  get now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  after(ms: number, run: () => void): () => void {
    const id = this.#next++;
    this.#waiting.set(id, { at: this.#now + ms, run });
    return () => void this.#waiting.delete(id);
  }

  /** A promise that settles after `ms` of this clock. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Moves the clock, running what becomes due in order, with the promises it settles. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await setImmediate();
      const due = [...this.#waiting].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#waiting.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
    }
    this.#now = end;
  }
}
