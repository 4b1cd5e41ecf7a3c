import { presenceNow } from '../../presence/presence-now.ts';
import { type HeldHeads, resyncNeeded } from '../../presence/resync-needed.ts';
import type { EventHandlers } from '../event-router.ts';
import { roomOf } from '../room-names.ts';
import type { GatewaySocket } from '../socket-types.ts';
import type { HandlerDeps } from './handler-deps.ts';

type PresenceEvent = 'presence:set' | 'presence:watch' | 'presence:ping';

export function presenceEvents(deps: HandlerDeps): Pick<EventHandlers, PresenceEvent> {
  return {
    'presence:set': async (socket, { status }) => {
      await deps.keeper.setStatus(socket.id, status);
      return {};
    },
    'presence:watch': async (socket, { userIds }, context) => {
      const request = { actorId: socket.data.identity.userId, userIds };
      const known = userIds.length === 0 ? request : await deps.clients.chat.any.FilterAcquainted(request, context);
      watch(socket, known.userIds);
      return { users: await presenceNow(deps.presence, known.userIds, deps.log) };
    },
    'presence:ping': async (socket, { heads }) => {
      const serverTime = new Date(deps.now()).toISOString();
      if (!heads || !isBehind(deps, socket, heads)) return { serverTime };
      deps.memberships.refresh(socket.data.user);
      return { serverTime, resync: true };
    },
  };
}

/** Follows these users instead of those before. */
function watch(socket: GatewaySocket, userIds: readonly string[]): void {
  for (const userId of socket.data.watched) void socket.leave(roomOf.watchers(userId));
  void socket.join(userIds.map(roomOf.watchers));
  socket.data.watched = userIds;
}

function isBehind({ memberships, feeds, now }: HandlerDeps, socket: GatewaySocket, heads: HeldHeads): boolean {
  const known = memberships.roomsOf(socket.data.user).flatMap((conversationId) => {
    const head = feeds.headOf(conversationId);
    return head ? [{ conversationId, ...head }] : [];
  });
  return resyncNeeded(heads, known, now());
}
