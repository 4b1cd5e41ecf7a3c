import { limits } from '@bluewave/api/limits';
import type { Member } from '@bluewave/api/objects';
import { presentOne } from '../../operations/operations.ts';
import type { Member as LogMember } from '@bluewave/protos/generated/bluewave/chat/v1/Member';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import { presentRole } from '../../present/present-conversation.ts';
import { presentTime } from '../../present/present-time.ts';
import { presentUser, unknownUser } from '../../present/present-user.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { demandUsers } from './demand-users.ts';
import { presenceOfMembers } from './presence-of.ts';

type MemberRoute = 'members.list' | 'members.add' | 'members.update' | 'members.remove';

export function memberHandlers(deps: HttpDeps): HandlersOf<MemberRoute> {
  const { chat } = deps.clients;
  return {
    async 'members.list'({ params, query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, conversationId: params.id, limit, cursor };
      const reply = await chat.for(params.id).ListMembers(request, context);
      const items = await presentMembers(deps, reply.members, caller, context);
      return { status: 200, body: { items, nextCursor: reply.nextCursor || null } };
    },
    async 'members.add'({ params, body, caller, context }) {
      const userIds = [...new Set(body.userIds)];
      // Membership first: who may not see the conversation learns nothing about who exists.
      const request = { actorId: caller.userId, conversationId: params.id };
      await chat.for(params.id).GetConversation(request, context);
      await demandUsers(deps, userIds, context);
      const conversation = await chat.for(params.id).AddMembers({ ...request, userIds }, context);
      return { status: 200, body: await presentOne(deps.presenter, conversation, caller, context) };
    },
    async 'members.update'({ params, body, caller, context }) {
      const { id: conversationId, userId } = params;
      const request = { actorId: caller.userId, conversationId, userId, role: body.role };
      const changed = await chat.for(conversationId).ChangeRole(request, context);
      const [member] = await presentMembers(deps, [changed], caller, context);
      if (!member) throw new Error('a member was lost on the way');
      return { status: 200, body: member };
    },
    async 'members.remove'({ params, caller, context }) {
      const request = { actorId: caller.userId, conversationId: params.id, userId: params.userId };
      await chat.for(params.id).RemoveMember(request, context);
      return { status: 204, body: undefined };
    },
  };
}

/** Members with profile and presence. While auth is away: with what is known of them. */
async function presentMembers(
  deps: HttpDeps,
  members: readonly LogMember[],
  caller: Identity,
  context: CallContext,
): Promise<Member[]> {
  const ids = members.map((member) => member.userId);
  const [profiles, presences] = await Promise.all([
    deps.directory.profiles(ids, context).catch((error: unknown) => {
      deps.log.warn({ err: error, traceId: context.traceId }, 'profiles of members cannot be read');
      return deps.directory.peekProfiles(ids);
    }),
    presenceOfMembers(deps, caller, ids, context),
  ]);
  const summaries = deps.directory.peek(ids);
  return members.map((member) => {
    const { userId, role, joinedAtMs } = member;
    const profile = profiles.get(userId);
    const presence = presences.get(userId);
    const joinedAt = presentTime(joinedAtMs);
    const standIn = { bio: '', status: 'offline', lastSeenAt: null, createdAt: joinedAt } as const;
    const user = profile
      ? presentUser(profile, presence)
      : { ...(summaries.get(userId) ?? unknownUser(userId)), ...standIn };
    return { user, role: presentRole(role), joinedAt };
  });
}
