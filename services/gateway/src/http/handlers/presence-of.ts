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

/** Presence of people, as far as the caller may see it: of those who share a conversation and have not blocked them. */
export async function visiblePresences(
  deps: PresenceDeps,
  caller: Identity,
  userIds: readonly string[],
  context: CallContext,
): Promise<Map<string, Presence>> {
  if (userIds.length === 0) return new Map();
  try {
    const request = { actorId: caller.userId, userIds: [...userIds] };
    const visible = await deps.clients.chat.any.FilterAcquainted(request, context);
    return await presenceOf(deps, visible.userIds, context);
  } catch (error) {
    deps.log.warn({ err: error, traceId: context.traceId }, 'who is acquainted cannot be read; presence is hidden');
    return new Map();
  }
}

/** Presence of somebody, as far as the caller may see it. */
export async function visiblePresence(
  deps: PresenceDeps,
  caller: Identity,
  userId: string,
  context: CallContext,
): Promise<Presence | undefined> {
  if (userId === caller.userId) return ownPresence(deps, caller, context);
  return (await visiblePresences(deps, caller, [userId], context)).get(userId);
}

/** Presence of members of one conversation as another member sees it: not of those who have blocked them. */
export async function presenceOfMembers(
  deps: PresenceDeps,
  caller: Identity,
  userIds: readonly string[],
  context: CallContext,
): Promise<Map<string, Presence>> {
  const presences = await presenceOf(deps, userIds, context);
  const shown = [...presences.values()].filter(({ status, lastSeenAt }) => status !== 'offline' || lastSeenAt !== null);
  if (shown.length === 0) return presences;
  try {
    const request = { actorId: caller.userId, userIds: shown.map(({ userId }) => userId) };
    const blockers = await deps.clients.chat.any.FindBlockers(request, context);
    for (const userId of blockers.userIds) presences.delete(userId);
    return presences;
  } catch (error) {
    deps.log.warn({ err: error, traceId: context.traceId }, 'blocks cannot be read; presence is hidden');
    return new Map();
  }
}
