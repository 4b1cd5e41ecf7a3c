import type { UserSummary } from '@bluewave/api/objects';
import { userUpdated } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { User as AuthUser } from '@bluewave/protos/generated/bluewave/auth/v1/User';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Logger } from '@bluewave/runtime/logger';
import { LRUCache } from 'lru-cache';
import type { AuthClient } from '../clients/clients.ts';
import type { Identity } from '../identity/identity.ts';
import { deletedUser, presentUserSummary, unknownUser } from './present-user.ts';
import { UserLoader } from './user-loader.ts';

export type DirectoryOptions = {
  auth: Pick<AuthClient, 'GetUsers'>;
  bus: EventBus;
  log: Logger;
  now?: () => number;
  /** Profiles held at most. */
  size?: number;
  /** Milliseconds that a profile is used without asking again. */
  freshMs?: number;
};

/** How long auth is left alone after it could not be asked. */
const pauseMs = 1_000;
/** How long an account counts as gone without asking again. */
const missingMs = 30_000;

/** A profile as it was read; `user` is undefined when the account does not exist, or only its summary is known. */
type Known = { summary: UserSummary; user: AuthUser | undefined; freshUntil: number };

/**
 * Names and pictures of people by id: cached, read in batches, forgotten when auth says that they changed. While auth
 * is away what is held goes on being served.
 */
export class Directory {
  readonly #now: () => number;
  readonly #freshMs: number;
  readonly #known: LRUCache<string, Known>;
  readonly #loader: UserLoader;
  readonly #log: Logger;
  #awayUntil = 0;
  readonly #subscriptions: BusSubscription[];

  constructor(options: DirectoryOptions) {
    this.#now = options.now ?? Date.now;
    this.#freshMs = options.freshMs ?? 300_000;
    this.#known = new LRUCache({ max: options.size ?? 50_000 });
    this.#loader = new UserLoader(options.auth);
    this.#log = options.log;
    this.#subscriptions = [
      options.bus.subscribe(subjects.userUpdated, ({ data }) => this.#doubt(userUpdated.decode(data).userId)),
      // What changed while NATS was away was not heard.
      options.bus.onHealed(() => {
        for (const id of this.#known.keys()) this.#doubt(id);
      }),
    ];
  }

  /**
   * Summaries of all ids asked for. Accounts that are gone and those that cannot be asked for now have stand-ins, so
   * it rejects never.
   */
  async lookup(ids: Iterable<string>, context: CallContext): Promise<Map<string, UserSummary>> {
    const wanted = new Set(ids);
    if (this.#awayUntil <= this.#now()) {
      await this.#refresh(wanted, context).catch((error: unknown) => {
        this.#log.warn({ err: error, traceId: context.traceId }, 'profiles cannot be read; those known are used');
      });
    }
    return new Map([...wanted].map((id) => [id, this.#known.get(id)?.summary ?? unknownUser(id)]));
  }

  /** Profiles of those of the ids that exist. @throws UNAVAILABLE, DEADLINE_EXCEEDED. */
  async profiles(ids: Iterable<string>, context: CallContext): Promise<Map<string, AuthUser>> {
    const wanted = new Set(ids);
    const unread = [...wanted].filter((id) => {
      const known = this.#known.get(id);
      return known !== undefined && known.user === undefined;
    });
    for (const id of unread) this.#doubt(id);
    await this.#refresh(wanted, context);
    return this.peekProfiles(wanted);
  }

  /** Profiles held now, without asking. */
  peekProfiles(ids: Iterable<string>): Map<string, AuthUser> {
    const found = new Map<string, AuthUser>();
    for (const id of ids) {
      const user = this.#known.get(id)?.user;
      if (user) found.set(id, user);
    }
    return found;
  }

  /** What is held now, without asking: for live events. Ids that are not held are left out. */
  peek(ids: Iterable<string>): Map<string, UserSummary> {
    const found = new Map<string, UserSummary>();
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known) found.set(id, known.summary);
    }
    return found;
  }

  /** Notes what a verified token says of its user, unless something is held: it may be newer. */
  prime(identity: Identity): void {
    if (this.#known.has(identity.userId)) return;
    const { userId: id, username, displayName, avatarUrl } = identity;
    const freshUntil = this.#now() + Math.min(60_000, this.#freshMs);
    this.#known.set(id, { summary: { id, username, displayName, avatarUrl }, user: undefined, freshUntil });
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }

  async #refresh(ids: Set<string>, context: CallContext): Promise<void> {
    const now = this.#now();
    const stale = [...ids].filter((id) => (this.#known.get(id)?.freshUntil ?? 0) <= now);
    if (stale.length === 0) return;
    const read = await this.#loader.load(stale, context).catch((error: unknown) => {
      this.#awayUntil = this.#now() + pauseMs;
      throw error;
    });
    for (const id of stale) {
      const user = read.get(id);
      const freshUntil = now + (user ? this.#freshMs : Math.min(this.#freshMs, missingMs));
      this.#known.set(id, { summary: user ? presentUserSummary(user) : deletedUser(id), user, freshUntil });
    }
  }

  /** Keeps what is held as a fallback, but asks again before it is used. */
  #doubt(id: string): void {
    const known = this.#known.peek(id);
    if (known) known.freshUntil = 0;
  }
}
