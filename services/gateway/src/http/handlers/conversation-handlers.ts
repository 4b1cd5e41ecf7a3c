import type { Routes } from '@bluewave/api/routes';
import { limits } from '@bluewave/api/limits';
import { AppError } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { demandImage } from '../../operations/avatar-image.ts';
import { presentOne } from '../../operations/operations.ts';
import type { HandlerRequest, HandlersOf, HttpDeps } from '../handler.ts';
import { demandUsers } from './demand-users.ts';
import { given } from './given.ts';

type ReadRoute = 'conversations.list' | 'conversations.get' | 'conversations.discover';
type ConversationRoute =
  | 'conversations.create'
  | 'conversations.update'
  | 'conversations.delete'
  | 'conversations.join'
  | 'conversations.leave'
  | 'conversations.transfer'
  | 'conversations.me';

export function conversationHandlers(deps: HttpDeps): HandlersOf<ConversationRoute | ReadRoute> {
  const { chat, media } = deps.clients;
  return {
    ...readHandlers(deps),
    'conversations.create': (request) => create(deps, request),
    async 'conversations.update'({ params, body, caller, context }) {
      const { avatarId, ...changes } = body;
      const address = { actorId: caller.userId, conversationId: params.id };
      if (avatarId) {
        // Membership first: what is not there answers alike, whatever was sent.
        await chat.for(params.id).GetConversation(address, context);
        await demandImage(media, caller, avatarId, context);
      }
      const avatar = avatarId === undefined ? {} : { avatarUploadId: avatarId ?? '' };
      const updated = await chat
        .for(params.id)
        .UpdateConversation({ ...address, ...given(changes), ...avatar }, context);
      return { status: 200, body: await presentOne(deps.presenter, updated, caller, context) };
    },
    async 'conversations.delete'({ params, caller, context }) {
      await chat.for(params.id).DeleteConversation({ actorId: caller.userId, conversationId: params.id }, context);
      return { status: 204, body: undefined };
    },
    async 'conversations.join'({ params, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id };
      const joined = await chat.for(params.id).JoinConversation(request, context);
      return { status: 200, body: await presentOne(deps.presenter, joined, caller, context) };
    },
    async 'conversations.leave'({ params, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id, userId: caller.userId };
      await chat.for(params.id).RemoveMember(request, context);
      return { status: 204, body: undefined };
    },
    async 'conversations.transfer'({ params, body, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id, userId: body.userId };
      const conversation = await chat.for(params.id).TransferOwnership(request, context);
      return { status: 200, body: await presentOne(deps.presenter, conversation, caller, context) };
    },
    async 'conversations.me'({ params, body, caller, context }) {
      const { mutedUntil, ...change } = body;
      const muted = mutedUntil === undefined ? {} : { mutedUntilMs: mutedUntil === null ? 0 : Date.parse(mutedUntil) };
      const request = { actorId: caller.userId, conversationId: params.id, ...given(change), ...muted };
      const conversation = await chat.for(params.id).UpdateMembership(request, context);
      return { status: 200, body: await presentOne(deps.presenter, conversation, caller, context) };
    },
  };
}

function readHandlers({ clients, presenter }: HttpDeps): HandlersOf<ReadRoute> {
  const { chat } = clients;
  return {
    async 'conversations.list'({ query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const reply = await chat.any.ListConversations({ actorId: caller.userId, limit, cursor }, context);
      const items = await presenter.conversations(reply.conversations, caller.userId, context);
      return { status: 200, body: { items, nextCursor: reply.nextCursor || null } };
    },
    async 'conversations.get'({ params, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id, orRoom: true };
      const found = await chat.for(params.id).GetConversation(request, context);
      const [body] = await presenter.found([found], caller.userId, context);
      if (!body) throw new Error('a conversation was lost on the way');
      return { status: 200, body };
    },
    async 'conversations.discover'({ query, caller, context }) {
      const { q = '', limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, query: q, limit, cursor };
      const { conversations, nextCursor } = await chat.any.DiscoverRooms(request, context);
      const items = await presenter.found(conversations, caller.userId, context);
      return { status: 200, body: { items, nextCursor: nextCursor || null } };
    },
  };
}

async function create(
  deps: HttpDeps,
  { body, caller, idempotencyKey, context }: HandlerRequest<Routes['conversations.create']>,
) {
  const userIds = othersOf(body, caller.userId);
  if (body.type === 'direct' && userIds.length === 0) throw directWithOneself();
  if (userIds.length > 0) await demandUsers(deps, userIds, context);
  const { name = '', description = '', avatarId, history } = body.type === 'direct' ? {} : body;
  await demandImage(deps.clients.media, caller, avatarId, context);
  const reply = await deps.clients.chat.any.CreateConversation(
    {
      actorId: caller.userId,
      type: body.type,
      ...{ name, description, userIds },
      ...given({ avatarUploadId: avatarId, history }),
      // Always one, so that another replica can be asked when the answer of the first was lost.
      idempotencyKey: idempotencyKey ?? newId(),
    },
    context,
  );
  if (!reply.conversation) throw new Error('created without its conversation');
  const conversation = await presentOne(deps.presenter, reply.conversation, caller, context);
  return { status: reply.created ? 201 : 200, body: conversation } as const;
}

/** Everybody but the caller whom a new conversation shall have. */
function othersOf(body: HandlerRequest<Routes['conversations.create']>['body'], userId: string): string[] {
  if (body.type === 'room') return [];
  const others = body.type === 'direct' ? [body.userId] : body.memberIds;
  return [...new Set(others)].filter((id) => id !== userId);
}

function directWithOneself(): AppError {
  return new AppError('VALIDATION_FAILED', 'A direct conversation needs somebody else.', {
    fields: [{ path: 'userId', code: 'invalid_value', message: 'must not be yourself' }],
  });
}
