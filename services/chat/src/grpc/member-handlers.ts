import { notFound } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { UpdateMembershipRequest } from '@bluewave/protos/generated/bluewave/chat/v1/UpdateMembershipRequest';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { banUser, demandBanList, liftBan } from '../conversations/change-bans.ts';
import { addMembers, removeMember } from '../conversations/change-members.ts';
import { changeRole, transferOwnership } from '../conversations/change-roles.ts';
import { demandAddition } from '../policies/demand.ts';
import { requireMembership, viewOf } from '../reading/conversation-views.ts';
import type { Preferences } from '../reading/read-store.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, checkNotify, checkRole, pageLimit } from './check-request.ts';
import { presentView } from './present-view.ts';

type MemberMethods =
  'ListMembers' | 'AddMembers' | 'RemoveMember' | 'ChangeRole' | 'TransferOwnership' | 'UpdateMembership';
type BanMethods = 'BanUser' | 'LiftBan' | 'ListBans';

export function memberHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, MemberMethods | BanMethods> {
  const { reads, clock } = deps;
  return {
    ...banHandlers(deps),
    async ListMembers({ actorId, conversationId, limit, cursor }) {
      checkIds(actorId, conversationId, ...(cursor ? [cursor] : []));
      await requireMembership(reads, conversationId, actorId);
      const size = pageLimit(limit);
      const found = await reads.members(conversationId, cursor || null, size + 1);
      const page = found.slice(0, size);
      return {
        members: page.map(({ userId, role, joinedAt }) => ({ userId, role, joinedAtMs: joinedAt })),
        nextCursor: found.length > size ? (page.at(-1)?.userId ?? '') : '',
      };
    },
    async AddMembers(request, call) {
      checkIds(request.actorId, request.conversationId, ...request.userIds);
      // Membership first: who may not see the conversation learns nothing of policies.
      await requireMembership(reads, request.conversationId, request.actorId);
      await demandAddition(deps, request, call);
      await appendProjected(deps, addMembers(request, call, deps.memberLimits, clock()));
      return presentView(await viewOf(reads, request.conversationId, request.actorId));
    },
    async RemoveMember(request, call) {
      checkIds(request.actorId, request.conversationId, request.userId);
      const { entry } = await appendProjected(deps, removeMember(request, call));
      return { seq: entry?.seq ?? 0 };
    },
    async ChangeRole({ actorId, conversationId, userId, role: wanted }, call) {
      checkIds(actorId, conversationId, userId);
      const change = { actorId, conversationId, userId, role: checkRole(wanted) };
      await appendProjected(deps, changeRole(change, call));
      await requireMembership(reads, conversationId, actorId);
      const { role, joinedAt } = await requireMembership(reads, conversationId, userId);
      return { userId, role, joinedAtMs: joinedAt };
    },
    async TransferOwnership({ actorId, conversationId, userId }, call) {
      checkIds(actorId, conversationId, userId);
      await appendProjected(deps, transferOwnership({ actorId, conversationId, userId }, call));
      return presentView(await viewOf(reads, conversationId, actorId));
    },
    async UpdateMembership(request) {
      const { actorId, conversationId } = request;
      checkIds(actorId, conversationId);
      const saved = await deps.preferences.save(conversationId, actorId, preferencesOf(request), clock());
      if (!saved) throw notFound();
      deps.tellMe(actorId, conversationId);
      return presentView(await viewOf(reads, conversationId, actorId));
    },
  };
}

function banHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, BanMethods> {
  const { reads, clock } = deps;
  return {
    async BanUser({ actorId, conversationId, userId, reason, untilMs }, call) {
      checkIds(actorId, conversationId, userId);
      const ban = { reason, until: untilMs > 0 ? untilMs : null };
      await appendProjected(deps, banUser({ actorId, conversationId, userId, ban }, call, clock()));
      return {};
    },
    async LiftBan({ actorId, conversationId, userId }, call) {
      checkIds(actorId, conversationId, userId);
      await appendProjected(deps, liftBan({ actorId, conversationId, userId }, call, clock()));
      return {};
    },
    async ListBans({ actorId, conversationId, limit, cursor }) {
      checkIds(actorId, conversationId, ...(cursor ? [cursor] : []));
      const size = pageLimit(limit);
      const found = await reads.bans(conversationId, cursor || null, size + 1, clock());
      // Asked after what is shown was read.
      const [{ role }, shared] = await Promise.all([
        requireMembership(reads, conversationId, actorId),
        reads.shared([conversationId]),
      ]);
      demandBanList(shared.get(conversationId), role);
      const page = found.slice(0, size);
      return {
        bans: page.map(({ userId, reason, until }) => ({ userId, reason, untilMs: until ?? 0 })),
        nextCursor: found.length > size ? (page.at(-1)?.userId ?? '') : '',
      };
    },
  };
}

function preferencesOf({ archived, pinned, mutedUntilMs, notify }: UpdateMembershipRequest): Partial<Preferences> {
  return {
    ...(archived === undefined ? {} : { archived }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(mutedUntilMs === undefined ? {} : { mutedUntil: mutedUntilMs > 0 ? mutedUntilMs : null }),
    ...(notify === undefined ? {} : { notify: checkNotify(notify) }),
  };
}
