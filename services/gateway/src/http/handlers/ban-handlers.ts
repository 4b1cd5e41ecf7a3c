import { limits } from '@bluewave/api/limits';
import { unknownUser } from '../../present/present-user.ts';
import { presentTime } from '../../present/present-time.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { demandUsers } from './demand-users.ts';

export function banHandlers(deps: HttpDeps): HandlersOf<'bans.list' | 'bans.put' | 'bans.delete'> {
  const { chat } = deps.clients;
  return {
    async 'bans.list'({ params, query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, conversationId: params.id, limit, cursor };
      const { bans, nextCursor } = await chat.for(params.id).ListBans(request, context);
      const users = await deps.directory.lookup(
        bans.map(({ userId }) => userId),
        context,
      );
      const items = bans.map(({ userId, reason, untilMs }) => ({
        user: users.get(userId) ?? unknownUser(userId),
        reason,
        until: untilMs === 0 ? null : presentTime(untilMs),
      }));
      return { status: 200, body: { items, nextCursor: nextCursor || null } };
    },
    async 'bans.put'({ params, body, caller, context }) {
      const { id: conversationId, userId } = params;
      const address = { actorId: caller.userId, conversationId };
      // Membership first: who may not see the conversation learns nothing about who exists.
      await chat.for(conversationId).GetConversation(address, context);
      await demandUsers(deps, [userId], context);
      const { reason = '', until } = body ?? {};
      const ban = { userId, reason, untilMs: until === undefined ? 0 : Date.parse(until) };
      await chat.for(conversationId).BanUser({ ...address, ...ban }, context);
      return { status: 204, body: undefined };
    },
    async 'bans.delete'({ params, caller, context }) {
      const { id: conversationId, userId } = params;
      await chat.for(conversationId).LiftBan({ actorId: caller.userId, conversationId, userId }, context);
      return { status: 204, body: undefined };
    },
  };
}
