import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { newId } from '@bluewave/runtime/ids';
import { directIdOf } from '../conversations/direct-id.ts';
import { hashOf } from '../log/derived-id.ts';
import type { BlockCache } from './block-cache.ts';
import type { Appender } from './guarded-writer.ts';
import { maxBlocks, maxContacts, type Pair, type PeopleStore } from './people-store.ts';
import { notWanted } from './refusal.ts';

type Call = { traceId: string; deadline: number };

export type BlockingOptions = {
  store: PeopleStore;
  cache: BlockCache;
  writer: Appender;
  clock: Clock;
  /** Tells other processes that a block came or went. */
  tell(pair: Pair, on: boolean): void;
};

/** Blocks people and takes it back. */
export class Blocking {
  readonly #options: BlockingOptions;

  constructor(options: BlockingOptions) {
    this.#options = options;
  }

  /**
   * Idempotent. When it resolves nothing that the blocked one sends through this process is acknowledged any more, and
   * what was on its way has its answer.
   * @throws CONFLICT when there would be too many.
   */
  async block(pair: Pair, call: Call): Promise<void> {
    const { store, cache, clock, tell } = this.#options;
    const stored = await cache.change(pair, async () => {
      const isStored = await store.putBlock(pair, clock(), maxBlocks);
      if (isStored) tell(pair, true);
      return isStored;
    });
    if (!stored) throw tooMany('blocks', maxBlocks);
    await this.#settle(pair, call);
  }

  /** Idempotent. */
  async unblock(pair: Pair): Promise<void> {
    const { store, cache, tell } = this.#options;
    await cache.change(pair, async () => {
      await store.removeBlock(pair);
      tell(pair, false);
    });
  }

  /** @throws FORBIDDEN when one of the users has blocked the actor, as of now in the store. */
  async demandNone(actorId: string, userIds: readonly string[]): Promise<void> {
    const pairs = userIds.map((blocker) => ({ blocker, blocked: actorId }));
    if ((await this.#options.store.inForce(pairs)).length > 0) throw notWanted();
  }

  /** Waits for what was on its way into the direct conversation of the two before this was called. */
  async #settle({ blocker, blocked }: Pair, call: Call): Promise<void> {
    await this.#options.writer.append({
      ...call,
      conversationId: directIdOf(blocker, blocked),
      senderId: blocker,
      clientMsgId: newId(),
      bodyHash: hashOf('settle'),
      // A lane prepares one attempt after the other: this one's turn comes when those before have their outcome.
      prepare: () => null,
    });
  }
}

export function tooMany(what: 'blocks' | 'contacts', max: number): AppError {
  return new AppError('CONFLICT', `There are at most ${max} ${what}. Remove some first.`);
}

/** @throws CONFLICT when there would be too many. */
export async function putContact(
  store: Pick<PeopleStore, 'putContact'>,
  contact: { userId: string; otherId: string; alias: string; at: number },
): Promise<void> {
  const { userId, otherId, alias, at } = contact;
  if (!(await store.putContact(userId, otherId, alias, at, maxContacts))) throw tooMany('contacts', maxContacts);
}
