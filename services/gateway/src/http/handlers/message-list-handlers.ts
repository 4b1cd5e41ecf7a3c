import { parseMessageId } from '@bluewave/api/fields';
import { limits } from '@bluewave/api/limits';
import { presentTime } from '../../present/present-time.ts';
import { unknownUser } from '../../present/present-user.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';

type MessageListRoute =
  | 'messages.history'
  | 'messages.thread'
  | 'messages.info'
  | 'messages.unread'
  | 'reactions.list'
  | 'pins.list'
  | 'stars.list';

/** Lists of messages beside the history, and what hangs on one. */
export function messageListHandlers({ clients, presenter, directory }: HttpDeps): HandlersOf<MessageListRoute> {
  const { chat } = clients;
  return {
    async 'messages.info'({ params, query, caller, context }) {
      const address = parseMessageId(params.id);
      const { limit = limits.maxPageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, ...address, limit, cursor };
      const page = await chat.for(address.conversationId).ListReceipts(request, context);
      const items = page.receipts.map(({ userId, deliveredAtMs, readAtMs }) => ({
        userId,
        ...(deliveredAtMs > 0 ? { deliveredAt: presentTime(deliveredAtMs) } : {}),
        ...(readAtMs > 0 ? { readAt: presentTime(readAtMs) } : {}),
      }));
      return { status: 200, body: { items, nextCursor: page.nextCursor || null } };
    },
    async 'messages.unread'({ caller, context }) {
      const { total, mentions, conversations } = await chat.any.GetUnread({ actorId: caller.userId }, context);
      return { status: 200, body: { total, mentions, conversations } };
    },
    async 'stars.list'({ query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const page = await chat.any.ListStarred({ actorId: caller.userId, limit, cursor }, context);
      const items = await presenter.messages(page.messages, context);
      return { status: 200, body: { items, nextCursor: page.nextCursor || null } };
    },
    async 'messages.history'({ params, caller, context }) {
      const address = parseMessageId(params.id);
      const { texts } = await chat
        .for(address.conversationId)
        .ListTexts({ actorId: caller.userId, ...address }, context);
      return { status: 200, body: { items: texts.map(({ text, atMs }) => ({ text, at: presentTime(atMs) })) } };
    },
    async 'messages.thread'({ params, query, caller, context }) {
      const address = parseMessageId(params.id);
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, ...address, limit, cursor };
      const page = await chat.for(address.conversationId).ListThread(request, context);
      const items = await presenter.messages(page.messages, context);
      return { status: 200, body: { items, nextCursor: page.nextCursor || null } };
    },
    async 'reactions.list'({ params, query, caller, context }) {
      const address = parseMessageId(params.id);
      const { limit = limits.pageSize, cursor = '', emoji = '' } = query;
      const request = { actorId: caller.userId, ...address, emoji, limit, cursor };
      const page = await chat.for(address.conversationId).ListReactions(request, context);
      const users = await directory.lookup(
        page.reactions.map(({ userId }) => userId),
        context,
      );
      const items = page.reactions.map(({ userId, emoji: shown, atMs }) => ({
        user: users.get(userId) ?? unknownUser(userId),
        emoji: shown,
        at: presentTime(atMs),
      }));
      return { status: 200, body: { items, nextCursor: page.nextCursor || null } };
    },
    async 'pins.list'({ params, query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, conversationId: params.id, limit, cursor };
      const page = await chat.for(params.id).ListPins(request, context);
      const items = await presenter.messages(page.messages, context);
      return { status: 200, body: { items, nextCursor: page.nextCursor || null } };
    },
  };
}
