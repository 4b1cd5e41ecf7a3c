import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { pinMessage } from '../messages/pin.ts';
import { reactToMessage } from '../messages/react.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import type { ReactionPlace } from '../reading/message-reads.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit, positionOf } from './check-request.ts';
import { readMessage } from './read-message.ts';
import { showMessages } from './show-messages.ts';

type MarkingMethods = 'React' | 'ListReactions' | 'PinMessage' | 'ListPins';

/** What members put on messages for all to see. */
export function markingHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, MarkingMethods> {
  const { reads, messageReads } = deps;
  return {
    async React(request, call) {
      const message = await readMessage(reads, request);
      const own = await messageReads.ownReactions(request, request.actorId);
      const append = reactToMessage(request, message, own, call);
      if (!append) return { seq: 0 };
      const { entry } = await appendProjected(deps, append);
      return { seq: entry?.seq ?? 0 };
    },
    async ListReactions({ emoji, limit, cursor, ...address }) {
      await readMessage(reads, address);
      const size = pageLimit(limit);
      const after = placeOf(cursor);
      const which = { ...(emoji === '' ? {} : { emoji }), ...(after ? { after } : {}) };
      const found = await messageReads.reactions(address, which, size + 1);
      await requireMembership(reads, address.conversationId, address.actorId);
      const page = found.slice(0, size);
      const last = page.at(-1);
      return {
        reactions: page.map(({ userId, emoji: shown, at }) => ({ userId, emoji: shown, atMs: at })),
        nextCursor: found.length > size && last ? `${last.seq}.${last.emoji}` : '',
      };
    },
    async PinMessage(request, call) {
      const message = await readMessage(reads, request);
      const { entry } = await appendProjected(deps, pinMessage(request, message, call));
      return { seq: entry?.seq ?? 0 };
    },
    async ListPins({ actorId, conversationId, limit, cursor }) {
      checkIds(actorId, conversationId);
      const { firstSeq } = await requireMembership(reads, conversationId, actorId);
      const size = pageLimit(limit);
      const range = { from: firstSeq, before: positionOf(cursor) ?? Number.MAX_SAFE_INTEGER };
      const found = await messageReads.pins(conversationId, range, size + 1);
      const page = found.slice(0, size);
      const messages = await showMessages(reads, conversationId, actorId, page);
      await requireMembership(reads, conversationId, actorId);
      return { messages, nextCursor: found.length > size ? String(page.at(-1)?.seq) : '' };
    },
  };
}

/** Where a list of reactions goes on: `<seq>.<emoji>`; from the beginning for what is no cursor of ours. */
function placeOf(cursor: string): ReactionPlace | undefined {
  const dot = cursor.indexOf('.');
  const seq = positionOf(cursor.slice(0, Math.max(dot, 0)));
  return seq === undefined ? undefined : { seq, emoji: cursor.slice(dot + 1) };
}
