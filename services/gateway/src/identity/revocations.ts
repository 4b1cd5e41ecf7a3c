import { userEvent } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';

export type Revoked = { userId: string; sessionIds: readonly string[] };

export type RevocationsOptions = {
  bus: EventBus;
  /** Life time of access tokens in milliseconds: no token of a session outlives its revocation by more. */
  keepMs: number;
  now?: () => number;
};

/** Clocks of gateway and auth may differ by this much. */
const skewMs = 60_000;

/**
 * Sessions that ended, as auth announces them, remembered until none of their access tokens can be alive. What is
 * announced while NATS is away is not heard here: such a token works until it expires.
 */
export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #now: () => number;
  readonly #until = new Map<string, number>();
  readonly #listeners = new Set<(revoked: Revoked) => void>();
  readonly #subscription: BusSubscription;

  constructor(options: RevocationsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#subscription = options.bus.subscribe(subjects.sessionsRevoked, ({ data }) => {
      const { userId, sessionsRevoked } = userEvent.decode(data);
      if (sessionsRevoked) this.add({ userId, sessionIds: sessionsRevoked.sessionIds });
    });
  }

  /** Whether a session is known to have ended. */
  has(sessionId: string): boolean {
    return this.#until.has(sessionId);
  }

  /** Records ended sessions and tells listeners of those that are news. */
  add(revoked: Revoked): void {
    this.#forgetOld();
    const until = this.#now() + this.#options.keepMs + skewMs;
    const news = revoked.sessionIds.filter((id) => !this.#until.has(id));
    for (const id of news) this.#until.set(id, until);
    if (news.length === 0) return;
    for (const listener of this.#listeners) listener({ userId: revoked.userId, sessionIds: news });
  }

  /** Calls back for each announcement, so that sockets of these sessions are closed. */
  onRevoked(listener: (revoked: Revoked) => void): BusSubscription {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  close(): void {
    this.#subscription.close();
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [id, until] of this.#until) {
      // Insertion order is time order: the first young one ends the search.
      if (until > now) return;
      this.#until.delete(id);
    }
  }
}
