import { notFound } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { joinRoom } from '../conversations/join-room.ts';
import { demandJoin } from '../policies/demand.ts';
import { viewOf } from '../reading/conversation-views.ts';
import { discoverRooms } from '../reading/room-views.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit } from './check-request.ts';
import { presentPreview, presentView } from './present-view.ts';

type RoomMethods = 'DiscoverRooms' | 'JoinConversation';

export function roomHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, RoomMethods> {
  const { reads, clock } = deps;
  return {
    async DiscoverRooms({ actorId, query, limit, cursor }) {
      checkIds(actorId);
      const request = { userId: actorId, query, limit: pageLimit(limit), cursor };
      const { rooms, nextCursor } = await discoverRooms(reads, request, clock());
      return {
        conversations: rooms.map((room) => ('me' in room ? presentView(room) : presentPreview(room))),
        nextCursor,
      };
    },
    async JoinConversation({ actorId, conversationId }, call) {
      checkIds(actorId, conversationId);
      if (!(await reads.membership(conversationId, actorId))) {
        // What is no room is not there, whatever a policy says.
        if (!(await reads.room(conversationId))) throw notFound();
        await demandJoin(deps, { actorId, conversationId }, call);
        await appendProjected(deps, joinRoom({ actorId, conversationId }, call, deps.memberLimits, clock()));
      }
      return presentView(await viewOf(reads, conversationId, actorId));
    },
  };
}
