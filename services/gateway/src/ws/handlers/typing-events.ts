import { notFound } from '@bluewave/errors/app-error';
import type { EventHandlers } from '../event-router.ts';
import { roomOf } from '../room-names.ts';
import type { GatewaySocket } from '../socket-types.ts';
import type { HandlerDeps } from './handler-deps.ts';

export function typingEvents({ typing }: HandlerDeps): Pick<EventHandlers, 'typing:start' | 'typing:stop'> {
  return {
    'typing:start': async (socket, { conversationId }) => {
      demandMembership(socket, conversationId);
      typing.start(socket, conversationId);
      return {};
    },
    'typing:stop': async (socket, { conversationId }) => {
      demandMembership(socket, conversationId);
      typing.stop(socket, conversationId);
      return {};
    },
  };
}

/** Being in the room is being a member, as of the last entry that was delivered. */
function demandMembership(socket: GatewaySocket, conversationId: string): void {
  if (!socket.rooms.has(roomOf.conversation(conversationId))) throw notFound();
}
