import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { UpdateConversationRequest } from '@bluewave/protos/generated/bluewave/chat/v1/UpdateConversationRequest';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { deleteConversation, updateConversation } from '../conversations/change-conversation.ts';
import { createConversation } from '../conversations/create-conversation.ts';
import type { ConversationChanges } from '../log/entry.ts';
import { demandCreation } from '../policies/demand.ts';
import { viewOf } from '../reading/conversation-views.ts';
import { listViews } from '../reading/list-views.ts';
import { ownHeads } from '../reading/own-heads.ts';
import { previewOf } from '../reading/room-views.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkHistory, checkIds, checkType, pageLimit } from './check-request.ts';
import { presentPreview, presentView } from './present-view.ts';

type ConversationMethods =
  | 'CreateConversation'
  | 'GetConversation'
  | 'UpdateConversation'
  | 'DeleteConversation'
  | 'ListConversations'
  | 'ListMemberships';

export function conversationHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, ConversationMethods> {
  const { reads } = deps;
  return {
    async CreateConversation(request, call) {
      const { actorId, userIds, name, description, idempotencyKey, avatarUploadId: avatar } = request;
      checkIds(actorId, ...userIds, ...(avatar ? [avatar] : []));
      const type = checkType(request.type);
      const history = request.history === undefined ? {} : { history: checkHistory(request.history) };
      const wanted = { actorId, type, userIds, name, description, avatar, ...history, idempotencyKey };
      const append = createConversation(wanted, call, deps.memberLimits);
      await demandCreation(deps, { ...request, type }, call);
      const { entry, duplicate } = await appendProjected(deps, append);
      const view = await viewOf(reads, append.conversationId, actorId);
      return { conversation: presentView(view), created: entry !== null && !duplicate };
    },
    async GetConversation({ actorId, conversationId, orRoom }) {
      checkIds(actorId, conversationId);
      if (orRoom && !(await reads.membership(conversationId, actorId))) {
        return presentPreview(await previewOf(reads, conversationId));
      }
      return presentView(await viewOf(reads, conversationId, actorId));
    },
    async UpdateConversation(request, call) {
      const { actorId, conversationId } = request;
      checkIds(actorId, conversationId, ...(request.avatarUploadId ? [request.avatarUploadId] : []));
      await appendProjected(deps, updateConversation({ actorId, conversationId, changes: changesOf(request) }, call));
      return presentView(await viewOf(reads, conversationId, actorId));
    },
    async DeleteConversation(request, call) {
      checkIds(request.actorId, request.conversationId);
      const { entry } = await appendProjected(deps, deleteConversation(request, call));
      return { seq: entry?.seq ?? 0 };
    },
    async ListConversations({ actorId, limit, cursor }) {
      checkIds(actorId);
      const { views, nextCursor } = await listViews(reads, actorId, pageLimit(limit), cursor);
      return { conversations: views.map(presentView), nextCursor };
    },
    async ListMemberships({ actorId }) {
      checkIds(actorId);
      const [heads, blockedUserIds] = await Promise.all([ownHeads(reads, actorId), deps.people.blockedBy(actorId)]);
      const shared = await reads.shared(heads.map(({ conversationId }) => conversationId));
      return {
        conversations: heads.map(({ conversationId, seq }) => {
          const info = shared.get(conversationId);
          return { conversationId, head: seq, ...(info ? { memberCount: info.memberCount, type: info.type } : {}) };
        }),
        blockedUserIds,
      };
    },
  };
}

function changesOf(request: UpdateConversationRequest): ConversationChanges {
  const { name, description, avatarUploadId: avatar, history, slowModeSeconds } = request;
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(avatar === undefined ? {} : { avatar }),
    ...(history === undefined ? {} : { history: checkHistory(history) }),
    ...(slowModeSeconds === undefined ? {} : { slowModeSeconds }),
  };
}
