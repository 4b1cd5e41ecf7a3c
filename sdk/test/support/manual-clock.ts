import type { Clock } from '@bluewave/sdk';

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #now = Date.parse('2026-01-31T12:00:00.000Z');
  #elapsed = 0;
  #next = 0;
  readonly #timers = new Map<number, { at: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const id = (this.#next += 1);
    this.#timers.set(id, { at: this.#elapsed + ms, action });
    return () => void this.#timers.delete(id);
  }

  /** Timers that wait, as milliseconds from now, soonest first. */
  get waiting(): number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.#elapsed).sort((one, other) => one - other);
  }

  /** The wall clock is set; timers do not care. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass and whatever waits for it run, promises in between too. */
  async pass(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers]
        .filter(([, { at }]) => at <= until)
        .sort(([, one], [, other]) => one.at - other.at)[0];
      if (!due) break;
      const [id, { at, action }] = due;
      this.#timers.delete(id);
      this.#now += at - this.#elapsed;
      this.#elapsed = at;
      action();
    }
    this.#now += until - this.#elapsed;
    this.#elapsed = until;
    await settle();
  }
}

/** Lets promises that can go on do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}
