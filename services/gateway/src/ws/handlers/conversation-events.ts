import type { Presence } from '@bluewave/presence/presence-store';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import { presenceNow } from '../../presence/presence-now.ts';
import type { EventHandlers } from '../event-router.ts';
import type { HandlerDeps } from './handler-deps.ts';

type ConversationEvent = 'conversation:subscribe' | 'conversation:unsubscribe' | 'sync';

/** Members that a roster looks at, and those it shows. */
const maxMembersRead = 1_000;
const maxShown = 200;
const pageSize = 200;

export function conversationEvents(deps: HandlerDeps): Pick<EventHandlers, ConversationEvent> {
  const { operations, memberships } = deps;
  return {
    'conversation:subscribe': async (socket, { conversationId }, context) => {
      const { identity, user } = socket.data;
      const [conversation, roster] = await Promise.all([
        operations.getConversation(identity, conversationId, context),
        rosterOf(deps, identity, conversationId, context),
      ]);
      // A member whom nobody told this gateway of: the event was lost.
      if (!user.conversations.has(conversationId)) memberships.refresh(user);
      return { conversation, roster };
    },
    'conversation:unsubscribe': async () => ({}),
    sync: async (socket, input, context) => {
      const { identity, user } = socket.data;
      const answer = await operations.sync(identity, input, context);
      if (answer.conversations.some(({ conversation }) => !user.conversations.has(conversation.id))) {
        memberships.refresh(user);
      }
      return answer;
    },
  };
}

/** Members who are there now, bounded: of a huge conversation the first ones. */
async function rosterOf(
  { clients, presence, log }: HandlerDeps,
  identity: Identity,
  conversationId: string,
  context: CallContext,
): Promise<Presence[]> {
  const chat = clients.chat.for(conversationId);
  const ids: string[] = [];
  let cursor = '';
  do {
    const request = { actorId: identity.userId, conversationId, limit: pageSize, cursor };
    const page = await chat.ListMembers(request, context);
    ids.push(...page.members.map(({ userId }) => userId));
    cursor = page.nextCursor;
  } while (cursor !== '' && ids.length < maxMembersRead);
  const found = await presenceNow(presence, ids, log);
  const there = found.filter(({ status }) => status !== 'offline');
  const request = { actorId: identity.userId, userIds: there.map(({ userId }) => userId) };
  const blockers = there.length === 0 ? [] : (await clients.chat.any.FindBlockers(request, context)).userIds;
  return there.filter(({ userId }) => !blockers.includes(userId)).slice(0, maxShown);
}
