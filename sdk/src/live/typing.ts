import type { Connection } from '../connection/connection.ts';
import type { Clock } from '../environment.ts';
import { createValue, type Observable, type Value } from '../observable.ts';

export type TypingOptions = { connection: Pick<Connection, 'ask'>; clock: Clock };

/** Who does not go on typing for this long has stopped. */
const stopAfterMs = 4_000;
/** The platform wants to hear of it no more often. */
const repeatMs = 3_000;
/** Others are believed to type for this long without word. */
const believeMs = 6_000;
const answerMs = 5_000;

/** Tells others that this user types and stops by itself; knows who else does. */
export class Typing {
  readonly #options: TypingOptions;
  readonly #own = new Map<string, { stop(): void; repeatable: boolean; stopRepeat(): void }>();
  readonly #others = new Map<string, Value<readonly string[]>>();
  readonly #expiries = new Map<string, () => void>();

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** Call it for each key; `stop` is called by itself. */
  start(conversationId: string): void {
    const { clock } = this.#options;
    const known = this.#own.get(conversationId);
    known?.stop();
    const stop = clock.after(stopAfterMs, () => this.stop(conversationId));
    if (known && !known.repeatable) {
      known.stop = stop;
      return;
    }
    known?.stopRepeat();
    const typing = {
      stop,
      repeatable: false,
      stopRepeat: clock.after(repeatMs, () => {
        typing.repeatable = true;
      }),
    };
    this.#own.set(conversationId, typing);
    this.#tell('typing:start', conversationId);
  }

  stop(conversationId: string): void {
    const typing = this.#own.get(conversationId);
    if (!typing) return;
    this.#own.delete(conversationId);
    typing.stop();
    typing.stopRepeat();
    this.#tell('typing:stop', conversationId);
  }

  /** Ids of the others who type in a conversation now. */
  in(conversationId: string): Observable<readonly string[]> {
    return this.#valueOf(conversationId);
  }

  take({ conversationId, userId, on }: { conversationId: string; userId: string; on: boolean }): void {
    const value = this.#valueOf(conversationId);
    const others = value.get().filter((id) => id !== userId);
    const key = `${conversationId}/${userId}`;
    this.#expiries.get(key)?.();
    this.#expiries.delete(key);
    if (on) {
      const off = (): void => this.take({ conversationId, userId, on: false });
      this.#expiries.set(key, this.#options.clock.after(believeMs, off));
    }
    if (on !== value.get().includes(userId)) value.set(on ? [...others, userId] : others);
  }

  /** Nothing is known of others any more; the platform knows of this device's end by itself. */
  disconnected(): void {
    this.close();
    for (const value of this.#others.values()) if (value.get().length > 0) value.set([]);
  }

  close(): void {
    for (const { stop, stopRepeat } of this.#own.values()) {
      stop();
      stopRepeat();
    }
    for (const cancel of this.#expiries.values()) cancel();
    this.#own.clear();
    this.#expiries.clear();
  }

  #valueOf(conversationId: string): Value<readonly string[]> {
    const value = this.#others.get(conversationId) ?? createValue<readonly string[]>([]);
    this.#others.set(conversationId, value);
    return value;
  }

  #tell(event: 'typing:start' | 'typing:stop', conversationId: string): void {
    this.#options.connection.ask(event, { conversationId }, answerMs).catch(() => {
      // Nobody misses it: the next key tells again, and the platform ends it by itself.
    });
  }
}
