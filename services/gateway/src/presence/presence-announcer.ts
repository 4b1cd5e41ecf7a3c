import type { Presence, PresenceStore } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';
import { LRUCache } from 'lru-cache';

export type PresenceAnnouncerOptions = {
  store: Pick<PresenceStore, 'statusOf'>;
  /** Tells whoever may know. */
  broadcast(presence: Presence): Promise<void> | void;
  /** Whether what is told reaches other gateways now, as far as is known. */
  reachesOthers(): boolean;
  log: Logger;
  now?: () => number;
};

/** A user's changes are told at most once in this time. */
const quietMs = 1_000;
/** Going offline is told after this: most who lose a connection are back at once, perhaps on another gateway. */
const offlineMs = 1_000;
const tickMs = 100;
/** Users told of in one tick: after an outage there may be thousands. */
const maxAtOnce = 200;
/** How long it may take until it is known that something did not reach the others. */
const unknownMs = 1_000;
/** When it was told is remembered for so many users. */
const rememberedUsers = 20_000;

/**
 * Tells of changed presence: reads what is true now, at the time of telling, so that of several changes in a second
 * only the last is told, and a user who moved from one gateway to another is not told to be gone.
 */
export class PresenceAnnouncer {
  readonly #options: PresenceAnnouncerOptions;
  readonly #now: () => number;
  readonly #dueAt = new Map<string, number>();
  readonly #toldAt = new LRUCache<string, number>({ max: rememberedUsers });
  readonly #timer: NodeJS.Timeout;
  /** What was told from then on may not have reached other gateways. */
  #missedFrom: number | undefined;
  #busy = false;

  constructor(options: PresenceAnnouncerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timer = setInterval(() => void this.#flush(), tickMs);
    this.#timer.unref();
  }

  /** A user's presence may have changed; `mayBeOffline` waits a moment before it is told. */
  changed(userId: string, mayBeOffline = false): void {
    const now = this.#now();
    const at = Math.max(now + (mayBeOffline ? offlineMs : 0), (this.#toldAt.get(userId) ?? 0) + quietMs);
    // What is told is read then: the first reason that is due does for all of them.
    this.#dueAt.set(userId, Math.min(at, this.#dueAt.get(userId) ?? at));
  }

  /** Something did not reach other gateways: what was told around now is told again when they can be reached. */
  missed(): void {
    this.#missedFrom ??= this.#now() - unknownMs;
  }

  /** Tells what is left, and nothing more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const left = [...this.#dueAt.keys()];
    this.#dueAt.clear();
    try {
      for (const presence of await this.#options.store.statusOf(left)) await this.#options.broadcast(presence);
    } catch (error) {
      this.#options.log.debug({ err: error, users: left.length }, 'presence cannot be told');
    }
  }

  /** Tells what is due. */
  async #flush(): Promise<void> {
    this.#tellMissed();
    if (this.#busy || this.#dueAt.size === 0) return;
    const now = this.#now();
    const due: string[] = [];
    for (const [userId, at] of this.#dueAt) {
      if (at <= now) due.push(userId);
      if (due.length === maxAtOnce) break;
    }
    if (due.length === 0) return;
    this.#busy = true;
    // Forgotten before it is read: a change from here on is a new one.
    for (const userId of due) this.#dueAt.delete(userId);
    try {
      for (const presence of await this.#options.store.statusOf(due)) {
        this.#toldAt.set(presence.userId, now);
        await this.#options.broadcast(presence);
      }
    } catch (error) {
      // Redis is away: presence is unknown, and told again when it is back.
      this.#options.log.debug({ err: error, users: due.length }, 'presence cannot be told');
      for (const userId of due) this.changed(userId, true);
    } finally {
      this.#busy = false;
    }
  }

  #tellMissed(): void {
    const from = this.#missedFrom;
    if (from === undefined || !this.#options.reachesOthers()) return;
    this.#missedFrom = undefined;
    const missed = [...this.#toldAt].filter(([, at]) => at >= from);
    for (const [userId] of missed) this.changed(userId);
  }
}
