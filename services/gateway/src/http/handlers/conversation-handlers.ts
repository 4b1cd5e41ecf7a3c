import { limits } from '@bluewave/api/limits';
import { AppError } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { presentOne } from '../../operations/operations.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { demandUsers } from './demand-users.ts';

type ConversationRoute = 'conversations.create' | 'conversations.list' | 'conversations.get' | 'conversations.leave';

export function conversationHandlers(deps: HttpDeps): HandlersOf<ConversationRoute> {
  const { chat } = deps.clients;
  return {
    async 'conversations.create'({ body, caller, idempotencyKey, context }) {
      const others = body.type === 'direct' ? [body.userId] : body.memberIds;
      const userIds = [...new Set(others)].filter((id) => id !== caller.userId);
      if (body.type === 'direct' && userIds.length === 0) throw directWithOneself();
      if (userIds.length > 0) await demandUsers(deps, userIds, context);
      const { name = '', description = '' } = body.type === 'group' ? body : {};
      const reply = await chat.any.CreateConversation(
        {
          actorId: caller.userId,
          type: body.type,
          name,
          description,
          userIds,
          // Always one, so that another replica can be asked when the answer of the first was lost.
          idempotencyKey: idempotencyKey ?? newId(),
        },
        context,
      );
      if (!reply.conversation) throw new Error('created without its conversation');
      const conversation = await presentOne(deps.presenter, reply.conversation, caller, context);
      return { status: reply.created ? 201 : 200, body: conversation };
    },
    async 'conversations.list'({ query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const reply = await chat.any.ListConversations({ actorId: caller.userId, limit, cursor }, context);
      const items = await deps.presenter.conversations(reply.conversations, caller.userId, context);
      return { status: 200, body: { items, nextCursor: reply.nextCursor || null } };
    },
    async 'conversations.get'({ params, caller, context }) {
      return { status: 200, body: await deps.operations.getConversation(caller, params.id, context) };
    },
    async 'conversations.leave'({ params, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id, userId: caller.userId };
      await chat.for(params.id).RemoveMember(request, context);
      return { status: 204, body: undefined };
    },
  };
}

function directWithOneself(): AppError {
  return new AppError('VALIDATION_FAILED', 'A direct conversation needs somebody else.', {
    fields: [{ path: 'userId', code: 'invalid_value', message: 'must not be yourself' }],
  });
}
