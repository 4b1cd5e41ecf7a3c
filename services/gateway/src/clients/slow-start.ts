import { shareOf } from '@bluewave/rpc/rendezvous';

/** How long it takes a process until it has all of its share. */
export const slowStartMs = 10_000;

/**
 * Gives a process that has just joined its share of the work bit by bit: its code is not compiled and its caches are
 * empty, and with all of its share at once it would keep everybody waiting. A key that went over to it stays there.
 * Processes that are met together, as by a caller that has just started itself, have their shares at once.
 */
export class SlowStart {
  readonly #now: () => number;
  readonly #since = new Map<string, number>();
  /** When this caller met the first process of those that there are now. */
  #metAt: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  joined(name: string): void {
    const now = this.#now();
    this.#metAt ??= now;
    if (now - this.#metAt >= slowStartMs) this.#since.set(name, now);
  }

  left(name: string, othersLeft: boolean): void {
    this.#since.delete(name);
    if (!othersLeft) this.#metAt = undefined;
  }

  /** Those of the processes that may be asked about this key by now; all of them when it would be none. */
  ready(key: string, names: readonly string[]): readonly string[] {
    if (this.#since.size === 0) return names;
    const ready = names.filter((name) => this.#isReady(key, name));
    return ready.length > 0 ? ready : names;
  }

  #isReady(key: string, name: string): boolean {
    const since = this.#since.get(name);
    if (since === undefined) return true;
    const age = this.#now() - since;
    if (age >= slowStartMs) this.#since.delete(name);
    return age >= shareOf(key, name) * slowStartMs;
  }
}
