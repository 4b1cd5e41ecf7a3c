import { AppError, notFound } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import type { AppendRequest } from '../log/append.ts';
import type { ConversationState, MemberState } from '../log/conversation-state.ts';
import { hashOf } from '../log/derived-id.ts';
import type { ConversationInfo, EntryBody } from '../log/entry.ts';
import { memberLimitReached } from './create-conversation.ts';
import { mayDo, outranks } from './permissions.ts';

type Call = { traceId: string; deadline: number };
type Change = { actorId: string; conversationId: string };

/** Who acts, in what; to everybody else the conversation is not there. */
export function requireMember(
  state: ConversationState,
  userId: string,
): { info: ConversationInfo; member: MemberState } {
  const member = state.members.get(userId);
  if (!state.info || !member) throw notFound();
  return { info: state.info, member };
}

/** Adds members; those who are already are left out, and with nobody left nothing is written. */
export function addMembers(change: Change & { userIds: string[] }, call: Call, memberLimit: number): AppendRequest {
  return request(change, call, (state) => {
    const { info, member } = requireMember(state, change.actorId);
    if (info.type === 'direct') throw new AppError('CONFLICT', 'A direct conversation has two members, always.');
    if (!mayDo(info.type, member.role, 'add-member')) {
      throw new AppError('FORBIDDEN', 'Only owners and admins add members.');
    }
    const userIds = [...new Set(change.userIds)].filter((userId) => !state.members.has(userId));
    if (userIds.length === 0) return null;
    if (state.members.size + userIds.length > memberLimit) throw memberLimitReached(memberLimit);
    return { type: 'member:added', userIds, created: null };
  });
}

/** Removes a member; removing oneself is leaving. */
export function removeMember(change: Change & { userId: string }, call: Call): AppendRequest {
  return request(change, call, (state) => {
    const { info, member } = requireMember(state, change.actorId);
    if (info.type === 'direct') throw new AppError('CONFLICT', 'A direct conversation has two members, always.');
    const target = state.members.get(change.userId);
    if (change.userId === change.actorId) refuseOrphaning(state, member);
    else if (!mayDo(info.type, member.role, 'remove-member')) {
      throw new AppError('FORBIDDEN', 'Only moderators and above remove members.');
    } else if (!target) throw notFound();
    else if (!outranks(member.role, target.role)) {
      throw new AppError('FORBIDDEN', 'You cannot remove somebody of your own or a higher role.');
    }
    return { type: 'member:removed', userId: change.userId };
  });
}

function refuseOrphaning(state: ConversationState, leaving: MemberState): void {
  if (leaving.role !== 'owner' || state.members.size === 1) return;
  const owners = [...state.members.values()].filter(({ role }) => role === 'owner');
  if (owners.length === 1) {
    throw new AppError('OWNER_MUST_TRANSFER', 'Transfer the ownership to another member before you leave.');
  }
}

function request(
  { actorId, conversationId }: Change,
  call: Call,
  prepare: (state: ConversationState) => EntryBody | null,
): AppendRequest {
  return { ...call, conversationId, senderId: actorId, clientMsgId: newId(), bodyHash: hashOf('members'), prepare };
}
