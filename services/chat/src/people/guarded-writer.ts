import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { remainingMs, within } from '@bluewave/runtime/deadline';
import type { AppendRequest, AppendResult } from '../log/append.ts';
import type { ConversationState } from '../log/conversation-state.ts';
import type { EntryBody } from '../log/entry.ts';
import type { LogWriter } from '../log/log-writer.ts';
import type { BlockCache } from './block-cache.ts';
import type { Pair } from './people-store.ts';
import { notWanted } from './refusal.ts';

export type Appender = Pick<LogWriter, 'append' | 'peek'>;

/** Blocks have to be read before the rules can be applied. Reaches no caller but when there is no time left for it. */
class BlocksUnknown extends AppError {
  readonly pairs: readonly Pair[];

  constructor(pairs: readonly Pair[]) {
    super('UNAVAILABLE', 'It cannot be known at the moment whether you may do this. Try again.', { retryAfterMs: 100 });
    this.pairs = pairs;
  }
}

/**
 * The writer of the log, which refuses what a block forbids: the blocked one writes nothing into the direct
 * conversation but deletions, and adds the other to no conversation. The check is part of the entry's preparation, so it holds
 * as of the moment at which the entry is on its way, and a repeat of what was committed before is answered all the same.
 */
export class GuardedWriter implements Appender {
  readonly #writer: Appender;
  readonly #blocks: BlockCache;
  readonly #clock: Clock;

  constructor(options: { writer: Appender; blocks: BlockCache; clock: Clock }) {
    this.#writer = options.writer;
    this.#blocks = options.blocks;
    this.#clock = options.clock;
  }

  peek(conversationId: string): Readonly<ConversationState> | undefined {
    return this.#writer.peek(conversationId);
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const asked = this.#clock();
    const guarded: AppendRequest = {
      ...request,
      prepare: (state) => {
        const body = request.prepare(state);
        if (body !== null) this.#demand(state, request.senderId, body, asked);
        return body;
      },
    };
    let unknown = this.#unknownAhead(request);
    for (;;) {
      if (unknown.length > 0) await this.#read(unknown, request.deadline);
      try {
        return await this.#writer.append(guarded);
      } catch (error) {
        if (!(error instanceof BlocksUnknown) || this.#clock() >= request.deadline) throw error;
        unknown = error.pairs;
      }
    }
  }

  /** Of a warm direct conversation, the pair that is not known: read before the lane is asked, that costs least. */
  #unknownAhead({ conversationId, senderId }: AppendRequest): readonly Pair[] {
    const pair = pairOfDirect(this.#writer.peek(conversationId), senderId);
    return pair && this.#blocks.verdict(pair) === 'unknown' ? [pair] : [];
  }

  async #read(pairs: readonly Pair[], deadline: number): Promise<void> {
    await within(remainingMs(deadline, undefined, this.#clock()), 'The platform', this.#blocks.read(pairs));
  }

  #demand(state: ConversationState, actorId: string, body: EntryBody, asked: number): void {
    const { pairs, notBefore } = pairsOf(state, actorId, body, asked);
    const unknown: Pair[] = [];
    for (const pair of pairs) {
      const verdict = this.#blocks.verdict(pair, notBefore);
      if (verdict === 'blocked') throw notWanted();
      if (verdict === 'unknown') unknown.push(pair);
    }
    if (unknown.length > 0) throw new BlocksUnknown(unknown);
  }
}

/** The blocks that would forbid an entry, and since when they must have been read. */
function pairsOf(
  state: ConversationState,
  actorId: string,
  body: EntryBody,
  asked: number,
): { pairs: readonly Pair[]; notBefore: number } {
  if (body.type === 'message:deleted') return { pairs: [], notBefore: 0 };
  if (body.type === 'member:added') {
    const others = body.userIds.filter((userId) => userId !== actorId);
    // Rare, so that it can afford to be exact everywhere.
    return { pairs: others.map((blocker) => ({ blocker, blocked: actorId })), notBefore: asked };
  }
  const pair = pairOfDirect(state, actorId);
  return { pairs: pair ? [pair] : [], notBefore: 0 };
}

/** The block that would keep one out of a direct conversation. */
function pairOfDirect(state: Readonly<ConversationState> | undefined, actorId: string): Pair | undefined {
  if (state?.info?.type !== 'direct') return undefined;
  for (const blocker of state.members.keys()) if (blocker !== actorId) return { blocker, blocked: actorId };
  return undefined;
}
