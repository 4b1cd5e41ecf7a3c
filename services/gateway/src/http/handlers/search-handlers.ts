import { limits } from '@bluewave/api/limits';
import type { HandlersOf, HttpDeps } from '../handler.ts';

export function searchHandlers({ clients, presenter }: HttpDeps): HandlersOf<'messages.search'> {
  return {
    async 'messages.search'({ query, caller, context }) {
      const {
        q,
        conversationId = '',
        from = '',
        type = '',
        before,
        after,
        limit = limits.pageSize,
        cursor = '',
      } = query;
      const target = conversationId === '' ? clients.chat.any : clients.chat.for(conversationId);
      const reply = await target.SearchMessages(
        {
          ...{ actorId: caller.userId, query: q, conversationId, senderId: from, type, limit, cursor },
          ...(before === undefined ? {} : { beforeMs: before }),
          ...(after === undefined ? {} : { afterMs: after }),
        },
        context,
      );
      const found = reply.items.flatMap(({ message }) => (message ? [message] : []));
      const messages = await presenter.messages(found, context);
      const items = messages.map((message, index) => {
        const highlights = reply.items[index]?.highlights ?? [];
        return { ...message, highlights: highlights.map(({ start, end }): [number, number] => [start, end]) };
      });
      return { status: 200, body: { items, nextCursor: reply.nextCursor || null } };
    },
  };
}
