import type { ServerEvents } from '../contract.ts';
import type { Clock } from '../environment.ts';
import { createValue, type Observable, type Value } from '../observable.ts';

/** The rooms in which this user is muted for having sent too fast, each until its time is over. */
export class Mutes {
  readonly #clock: Clock;
  readonly #until = new Map<string, Value<string | undefined>>();
  readonly #ends = new Map<string, () => void>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Until when, ISO 8601; undefined while not muted. */
  in(conversationId: string): Observable<string | undefined> {
    return this.#valueOf(conversationId);
  }

  take({ conversationId, until }: ServerEvents['conversation:muted']): void {
    const ms = Date.parse(until) - this.#clock.now();
    if (!(ms > 0)) return;
    const value = this.#valueOf(conversationId);
    this.#ends.get(conversationId)?.();
    value.set(until);
    this.#ends.set(
      conversationId,
      this.#clock.after(ms, () => {
        this.#ends.delete(conversationId);
        value.set(undefined);
      }),
    );
  }

  close(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }

  #valueOf(conversationId: string): Value<string | undefined> {
    const value = this.#until.get(conversationId) ?? createValue<string | undefined>(undefined);
    this.#until.set(conversationId, value);
    return value;
  }
}
