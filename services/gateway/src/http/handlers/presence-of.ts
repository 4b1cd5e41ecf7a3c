import type { Presence } from '@bluewave/presence/presence-store';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import type { HttpDeps } from '../handler.ts';

type PresenceDeps = Pick<HttpDeps, 'clients' | 'presence' | 'log'>;

/** Presence by user id; empty while Redis is away: then nobody is known to be online. */
export async function presenceOf(
  deps: Pick<HttpDeps, 'presence' | 'log'>,
  userIds: readonly string[],
  context: CallContext,
): Promise<Map<string, Presence>> {
  if (userIds.length === 0) return new Map();
  try {
    const found = await deps.presence.statusOf(userIds);
    return new Map(found.map((presence) => [presence.userId, presence]));
  } catch (error) {
    deps.log.debug({ err: error, traceId: context.traceId }, 'presence cannot be read');
    return new Map();
  }
}

export async function ownPresence(
  deps: PresenceDeps,
  caller: Identity,
  context: CallContext,
): Promise<Presence | undefined> {
  return (await presenceOf(deps, [caller.userId], context)).get(caller.userId);
}

/** Presence of somebody, as far as the caller may see it: of people who share a conversation. */
export async function visiblePresence(
  deps: PresenceDeps,
  caller: Identity,
  userId: string,
  context: CallContext,
): Promise<Presence | undefined> {
  if (userId === caller.userId) return ownPresence(deps, caller, context);
  try {
    const request = { actorId: caller.userId, userIds: [userId] };
    const { userIds } = await deps.clients.chat.any.FilterAcquainted(request, context);
    if (!userIds.includes(userId)) return undefined;
  } catch (error) {
    deps.log.warn({ err: error, traceId: context.traceId }, 'who is acquainted cannot be read; presence is hidden');
    return undefined;
  }
  return (await presenceOf(deps, [userId], context)).get(userId);
}
