import { limits } from '@bluewave/api/limits';
import { notFound } from '@bluewave/errors/app-error';
import { rateLimits } from '../../limits/limits.ts';
import { presentMe, presentUser } from '../../present/present-user.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { ownPresence, visiblePresence } from './presence-of.ts';

export function userHandlers(deps: HttpDeps): HandlersOf<'users.me' | 'users.search' | 'users.get'> {
  const { auth } = deps.clients;
  return {
    async 'users.me'({ caller, context }) {
      const [account, presence] = await Promise.all([
        auth.GetMe({ actorId: caller.userId }, context),
        ownPresence(deps, caller, context),
      ]);
      return { status: 200, body: presentMe(account, presence) };
    },
    async 'users.search'({ query, caller, context }) {
      await deps.limiter.demand(rateLimits.userSearch, caller.userId);
      const { q, limit = limits.pageSize, cursor = '' } = query;
      const found = await auth.SearchUsers({ actorId: caller.userId, query: q, limit, cursor }, context);
      const items = found.users.map((user) => presentUser(user));
      return { status: 200, body: { items, nextCursor: found.nextCursor || null } };
    },
    async 'users.get'({ params, caller, context }) {
      const [profiles, presence] = await Promise.all([
        deps.directory.profiles([params.id], context),
        visiblePresence(deps, caller, params.id, context),
      ]);
      const user = profiles.get(params.id);
      if (!user) throw notFound();
      return { status: 200, body: presentUser(user, presence) };
    },
  };
}
