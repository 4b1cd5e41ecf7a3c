import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { addMembers, removeMember } from '../conversations/change-members.ts';
import { createConversation } from '../conversations/create-conversation.ts';
import { demandAddition, demandCreation } from '../policies/demand.ts';
import { requireMembership, viewOf } from '../reading/conversation-views.ts';
import { listViews } from '../reading/list-views.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, checkType, pageLimit } from './check-request.ts';
import { presentView } from './present-view.ts';

type ConversationMethods =
  | 'CreateConversation'
  | 'GetConversation'
  | 'ListConversations'
  | 'ListMemberships'
  | 'ListMembers'
  | 'AddMembers'
  | 'RemoveMember';

export function conversationHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, ConversationMethods> {
  const { reads } = deps;
  return {
    async CreateConversation(request, call) {
      checkIds(request.actorId, ...request.userIds);
      const type = checkType(request.type);
      const append = createConversation({ ...request, type }, call, deps.memberLimit);
      await demandCreation(deps, { ...request, type }, call);
      const { entry, duplicate } = await appendProjected(deps, append);
      const view = await viewOf(reads, append.conversationId, request.actorId);
      return { conversation: presentView(view), created: entry !== null && !duplicate };
    },
    async GetConversation({ actorId, conversationId }) {
      checkIds(actorId, conversationId);
      return presentView(await viewOf(reads, conversationId, actorId));
    },
    async ListConversations({ actorId, limit, cursor }) {
      checkIds(actorId);
      const { views, nextCursor } = await listViews(reads, actorId, pageLimit(limit), cursor);
      return { conversations: views.map(presentView), nextCursor };
    },
    async ListMemberships({ actorId }) {
      checkIds(actorId);
      const [heads, blockedUserIds] = await Promise.all([reads.headsOf(actorId), deps.people.blockedBy(actorId)]);
      const shared = await reads.shared(heads.map(({ conversationId }) => conversationId));
      return {
        conversations: heads.map(({ conversationId, seq }) => {
          const info = shared.get(conversationId);
          return { conversationId, head: seq, ...(info ? { memberCount: info.memberCount, type: info.type } : {}) };
        }),
        blockedUserIds,
      };
    },
    async ListMembers({ actorId, conversationId, limit, cursor }) {
      checkIds(actorId, conversationId, ...(cursor ? [cursor] : []));
      await requireMembership(reads, conversationId, actorId);
      const size = pageLimit(limit);
      const found = await reads.members(conversationId, cursor || null, size + 1);
      const page = found.slice(0, size);
      return {
        members: page.map(({ userId, role, joinedAt }) => ({ userId, role, joinedAtMs: joinedAt })),
        nextCursor: found.length > size ? (page.at(-1)?.userId ?? '') : '',
      };
    },
    async AddMembers(request, call) {
      checkIds(request.actorId, request.conversationId, ...request.userIds);
      // Membership first: who may not see the conversation learns nothing of policies.
      await requireMembership(reads, request.conversationId, request.actorId);
      await demandAddition(deps, request, call);
      await appendProjected(deps, addMembers(request, call, deps.memberLimit));
      return presentView(await viewOf(reads, request.conversationId, request.actorId));
    },
    async RemoveMember(request, call) {
      checkIds(request.actorId, request.conversationId, request.userId);
      const { entry } = await appendProjected(deps, removeMember(request, call));
      return { seq: entry?.seq ?? 0 };
    },
  };
}
