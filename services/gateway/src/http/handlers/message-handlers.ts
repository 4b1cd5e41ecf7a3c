import { parseMessageId } from '@bluewave/api/fields';
import { limits } from '@bluewave/api/limits';
import { AppError } from '@bluewave/errors/app-error';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { rateHeadersOf } from '../rate-headers.ts';

type MessageRoute =
  | 'messages.send'
  | 'messages.list'
  | 'entries.list'
  | 'messages.read'
  | 'messages.delivered'
  | 'messages.get'
  | 'messages.edit'
  | 'messages.delete'
  | 'sync';

export function messageHandlers(deps: HttpDeps): HandlersOf<MessageRoute> {
  const { operations } = deps;
  return {
    ...historyHandlers(deps),
    async 'messages.send'({ params, body, caller, context }) {
      const input = { conversationId: params.id, ...body };
      const { message, duplicate, room } = await operations.sendMessage(caller, input, context);
      const remaining = room ? { remaining: room.remaining } : {};
      const headers = room ? { headers: rateHeadersOf(room) } : {};
      return duplicate
        ? { status: 200, body: { message, duplicate, ...remaining }, ...headers }
        : { status: 201, body: { message, ...remaining }, ...headers };
    },
    async 'messages.read'({ params, body, caller, context }) {
      await operations.markRead(caller, { conversationId: params.id, seq: body.seq }, context);
      return { status: 204, body: undefined };
    },
    async 'messages.delivered'({ params, body, caller, context }) {
      await operations.markDelivered(caller, { conversationId: params.id, seq: body.seq }, context);
      return { status: 204, body: undefined };
    },
    async 'messages.edit'({ params, body, caller, context }) {
      const message = await operations.editMessage(caller, { messageId: params.id, ...body }, context);
      return { status: 200, body: message };
    },
    async 'messages.delete'({ params, caller, context }) {
      await operations.deleteMessage(caller, { messageId: params.id }, context);
      return { status: 204, body: undefined };
    },
    async sync({ body, caller, context }) {
      return { status: 200, body: await operations.sync(caller, body, context) };
    },
  };
}

function historyHandlers(deps: HttpDeps): HandlersOf<'messages.list' | 'entries.list' | 'messages.get'> {
  const { clients, presenter } = deps;
  return {
    async 'messages.list'({ params, query, caller, context }) {
      const { limit = limits.pageSize, before, after, around } = query;
      if ([before, after, around].filter((one) => one !== undefined).length > 1) throw onePosition();
      const request = {
        actorId: caller.userId,
        conversationId: params.id,
        limit,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        ...(around === undefined ? {} : { around }),
      };
      const { messages, hasBefore, hasAfter } = await clients.chat.for(params.id).ListMessages(request, context);
      const items = await presenter.messages(messages, context);
      // The next page goes on in the direction that was asked for: `after` it, else `before` it.
      const [next, edge] = after === undefined ? [hasBefore, items[0]] : [hasAfter, items.at(-1)];
      const nextCursor = next && edge ? String(edge.seq) : null;
      return { status: 200, body: { items, nextCursor, hasBefore, hasAfter } };
    },
    async 'entries.list'({ params, query, caller, context }) {
      const { limit = limits.pageSize, after = 0 } = query;
      const request = { actorId: caller.userId, conversationId: params.id, after, limit };
      const { entries, hasMore, head } = await clients.chat.for(params.id).ListEntries(request, context);
      const items = await presenter.entries(entries, context);
      const last = items.at(-1);
      return { status: 200, body: { items, nextCursor: hasMore && last ? String(last.seq) : null, hasMore, head } };
    },
    async 'messages.get'({ params, caller, context }) {
      const { conversationId, seq } = parseMessageId(params.id);
      const request = { actorId: caller.userId, conversationId, seq };
      const found = await clients.chat.for(conversationId).GetMessage(request, context);
      const [message] = await presenter.messages([found], context);
      if (!message) throw new Error('a message was lost on the way');
      return { status: 200, body: message };
    },
  };
}

function onePosition(): AppError {
  return new AppError('VALIDATION_FAILED', 'Give one of before, after and around.', {
    fields: [{ path: '', code: 'invalid_value', message: 'has more than one of before, after, around' }],
  });
}
