import type { CallContext } from '@bluewave/rpc/service-definition';
import { within } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { LRUCache } from 'lru-cache';
import type { ChatReplicas } from './chat-replicas.ts';

/** Types known at most: a few MB. */
const known = 200_000;
const lookupMs = 500;

/**
 * The type of each conversation, which never changes: noted from what passes through the gateway, looked up once when
 * it is not known.
 */
export class ConversationTypes {
  readonly #chat: Pick<ChatReplicas, 'for'>;
  readonly #log: Logger;
  readonly #types = new LRUCache<string, string>({ max: known });

  constructor(options: { chat: Pick<ChatReplicas, 'for'>; log: Logger }) {
    this.#chat = options.chat;
    this.#log = options.log;
  }

  note(conversationId: string, type: string | undefined): void {
    if (type) this.#types.set(conversationId, type);
  }

  /** direct, group or room; undefined for what does not exist and while it cannot be known. Never rejects. */
  async typeOf(conversationId: string, { traceId, deadline }: CallContext): Promise<string | undefined> {
    const noted = this.#types.get(conversationId);
    if (noted) return noted;
    const context = { traceId, deadline: Math.min(deadline, Date.now() + lookupMs) };
    const request = { conversationIds: [conversationId], withTypes: true };
    try {
      const { heads } = await within(lookupMs, 'chat', this.#chat.for(conversationId).GetHeads(request, context));
      this.note(conversationId, heads[0]?.type);
    } catch (error) {
      this.#log.debug({ err: error, traceId }, 'the type of a conversation cannot be known');
    }
    return this.#types.get(conversationId);
  }
}
