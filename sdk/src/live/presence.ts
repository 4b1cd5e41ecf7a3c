import type { Connection } from '../connection/connection.ts';
import type { ServerEvents } from '../contract.ts';
import { createValue, type Observable } from '../observable.ts';

export type Presence = ServerEvents['presence'];

export type PresenceWatch = Observable<ReadonlyMap<string, Presence>> & {
  /** Ends the watching. */
  close(): void;
};

export type PresencesOptions = { connection: Pick<Connection, 'ask'> };

/** The platform follows no more people for one connection. */
const maxWatched = 200;
const answerMs = 8_000;

/** Follows who is there, for as many places of an app as want to know. */
export class Presences {
  readonly #options: PresencesOptions;
  readonly #known = createValue<ReadonlyMap<string, Presence>>(new Map());
  readonly #watches = new Set<readonly string[]>();
  #status: 'online' | 'away' = 'online';
  #connected = false;
  #asking = false;
  #again = false;

  constructor(options: PresencesOptions) {
    this.#options = options;
  }

  /**
   * Follows people who share a conversation with this user; of all watches together the first 200. Who is not in the
   * map is not known.
   */
  watch(userIds: readonly string[]): PresenceWatch {
    const watch = [...userIds];
    this.#watches.add(watch);
    this.#ask();
    const close = (): void => {
      if (this.#watches.delete(watch)) this.#ask();
    };
    return { get: () => this.#known.get(), subscribe: (listener) => this.#known.subscribe(listener), close };
  }

  /** Says that this device's user is there, or away from it. */
  async setStatus(status: 'online' | 'away'): Promise<void> {
    this.#status = status;
    if (this.#connected) await this.#options.connection.ask('presence:set', { status }, answerMs);
  }

  take(presence: Presence): void {
    this.#know([presence]);
  }

  connected(): void {
    this.#connected = true;
    if (this.#status === 'away') this.#quietly(this.setStatus('away'));
    if (this.#watches.size > 0) this.#ask();
  }

  /** What was known is no longer sure. */
  disconnected(): void {
    this.#connected = false;
    if (this.#known.get().size > 0) this.#known.set(new Map());
  }

  #know(presences: readonly Presence[]): void {
    if (presences.length === 0) return;
    this.#known.set(new Map([...this.#known.get(), ...presences.map((one) => [one.userId, one] as const)]));
  }

  #ask(): void {
    if (!this.#connected) return;
    this.#again = this.#asking;
    if (!this.#asking) this.#quietly(this.#askNow());
  }

  async #askNow(): Promise<void> {
    this.#asking = true;
    try {
      const userIds = [...new Set([...this.#watches].flat())].slice(0, maxWatched);
      const { users } = await this.#options.connection.ask('presence:watch', { userIds }, answerMs);
      this.#know(users);
    } finally {
      this.#asking = false;
      if (this.#again) this.#ask();
    }
  }

  #quietly(asked: Promise<void>): void {
    asked.catch(() => {
      // Offline: the next connection asks again.
    });
  }
}
