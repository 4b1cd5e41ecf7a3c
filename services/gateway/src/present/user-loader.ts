import type { User as AuthUser } from '@bluewave/protos/generated/bluewave/auth/v1/User';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { AuthClient } from '../clients/clients.ts';

/** As many as auth answers at once. */
const maxIds = 500;
const maxWaitMs = 1_000;

type Waiting = { ids: Set<string>; answer: Promise<Map<string, AuthUser>> };

/**
 * Reads users in micro-batches: what is asked for within one turn of the event loop, by any number of requests,
 * travels in one call of at most 500 ids.
 */
export class UserLoader {
  readonly #auth: Pick<AuthClient, 'GetUsers'>;
  #open: Waiting | undefined;

  constructor(auth: Pick<AuthClient, 'GetUsers'>) {
    this.#auth = auth;
  }

  /** Users that exist, by id. @throws UNAVAILABLE, DEADLINE_EXCEEDED. */
  async load(ids: readonly string[], context: CallContext): Promise<Map<string, AuthUser>> {
    const batches = new Set<Waiting>();
    for (const id of ids) {
      const batch = this.#batch(context);
      batch.ids.add(id);
      batches.add(batch);
    }
    const answers = await Promise.all([...batches].map((batch) => batch.answer));
    const found = new Map<string, AuthUser>();
    for (const answer of answers) for (const [id, user] of answer) found.set(id, user);
    return found;
  }

  #batch(context: CallContext): Waiting {
    if (this.#open && this.#open.ids.size < maxIds) return this.#open;
    const ids = new Set<string>();
    const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      if (this.#open === waiting) this.#open = undefined;
      // Many requests share the call: it has a deadline of its own, not that of the first one.
      const shared = { traceId: context.traceId, deadline: Date.now() + maxWaitMs };
      const { users } = await this.#auth.GetUsers({ ids: [...ids] }, shared);
      return new Map(users.map((user) => [user.id, user]));
    });
    const waiting: Waiting = { ids, answer };
    this.#open = waiting;
    return waiting;
  }
}
