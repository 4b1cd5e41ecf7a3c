import { limits } from '@bluewave/api/limits';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { newTraceId } from '@bluewave/runtime/ids';
import type { ChatReplicas } from '../clients/chat-replicas.ts';
import type { ConversationTypes } from '../clients/conversation-types.ts';
import type { ConversationLog } from '../feed/conversation-log.ts';

/** Memberships are read while a handshake waits, which must end within 3 s. */
const callMs = 2_000;

/** The log as the chat service serves it to a gateway. */
export function createChatLog(
  chat: Pick<ChatReplicas, 'for' | 'any'>,
  types: Pick<ConversationTypes, 'note'>,
): ConversationLog {
  const context = (): CallContext => ({ traceId: newTraceId(), deadline: Date.now() + callMs });
  return {
    // Without an actor no membership is checked: who may see what is decided by rooms.
    entriesAfter: (conversationId, after) =>
      chat
        .for(conversationId)
        .ListEntries({ actorId: '', conversationId, after, limit: limits.syncPageEntries }, context()),
    headsOf: async (ids) => (await chat.any.GetHeads({ conversationIds: [...ids] }, context())).heads,
    membershipsOf: async (userId) => {
      const reply = await chat.any.ListMemberships({ actorId: userId }, context());
      for (const { conversationId, type } of reply.conversations) types.note(conversationId, type);
      return reply;
    },
  };
}
